"""Sends one signed announcement to an address that an administrator typed in.

Such an address must not lead into the platform's own network: the host is resolved once, every address it has is
checked, and the connection goes to a checked one. Nothing is followed, little is read, and all of it has one deadline.
Addresses may hold keys of the receiver, so neither logs nor errors repeat them.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from flask_babel import gettext as _

from app.errors import InvalidInput, Unavailable

SECONDS = 10.0
ANSWER_LIMIT = 64 * 1024
EXCERPT = 500
URL_LENGTH = 500
PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_METADATA = ipaddress.ip_address("168.63.129.16")
"""Public by number, but answered by the cloud that a machine runs in."""
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "5f00::/16")))
"""Of the registries' special purposes; the library does not know all of them."""

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """An address taken apart: ``path`` with its query, ``host`` in small letters without brackets."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Answer:
    """What the receiver said: status, and the beginning of its words in one line."""

    status: int
    excerpt: str


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Value of the signature's header: ``t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">``."""
    message = str(timestamp).encode() + b"." + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}"


# -- where to -------------------------------------------------------------------------------------------------------


def target_of(url: str, allowed: Collection[str] = ()) -> Target:
    """``url`` taken apart. InvalidInput says what is wrong with it; ``allowed`` hosts may be addresses of inner networks.

    Names are not resolved here, so that a form is answered at once; ``addresses_of`` does that before each sending.
    """
    if len(url) > URL_LENGTH:
        raise InvalidInput(_("地址最多 %(n)s 个字符，请换一个短的。", n=URL_LENGTH))
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise InvalidInput(_("地址里有空格、汉字或别的不能用的字符，请核对。"))
    target = _parsed(url)
    if target.scheme == "http" and not (target.host in allowed and _is_this_machine(target.host)):
        raise InvalidInput(_("地址要以 https:// 开头，内容才不会在路上被看到或改动。"))
    ip = _literal(target.host)
    if ip is not None and not _is_permitted(ip, target.host, allowed):
        raise InvalidInput(_inside())
    return target


def _parsed(url: str) -> Target:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, (parts.hostname or ""), parts.port
    except ValueError:
        scheme, host, port, parts = "", "", None, urlsplit("")
    if scheme not in PORTS or not host or port == 0:
        raise InvalidInput(_("这不是完整的网址。请写成 https://主机名/路径。"))
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(_("地址里不要写用户名和密码。对方可以用签名核对是谁发的。"))
    if parts.fragment or not _is_host(host):
        raise InvalidInput(_("地址里的主机名或“#”后面的部分不能用，请核对。"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port or PORTS[scheme], path)


def _is_host(host: str) -> bool:
    """An IP address in its usual form or a name; ``0x7f.1`` and ``2130706433`` are other ways to write 127.0.0.1."""
    if _literal(host) is not None:
        return "%" not in host
    last = host.rsplit(".", 1)[-1]
    return bool(_NAME.fullmatch(host)) and not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last)


def _literal(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_this_machine(host: str) -> bool:
    ip = _literal(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)


def _inside() -> str:
    return _("这个地址在内部网络里，不能推送。确实要用的，请运维人员把它写进 WEBHOOK_ALLOWED_HOSTS。")


def _is_permitted(ip: Ip, host: str, allowed: Collection[str]) -> bool:
    """Whether an announcement may go to ``ip``: on the open internet, or of a host that operators allow.

    A name that is allowed never leads to link-local addresses, where clouds answer with their keys.
    """
    plain = getattr(ip, "ipv4_mapped", None) or ip
    if str(plain) in allowed:
        return True
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain == _METADATA:
        return False
    return host in allowed or _is_public(plain)


def _is_public(ip: Ip) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour is not None or ip.teredo is not None):
        # They carry an IPv4 address inside, which would have to be judged too; nobody receives there.
        return False
    return ip.is_global and not ip.is_reserved and not any(ip in network for network in _SPECIAL)


def addresses_of(target: Target, allowed: Collection[str] = ()) -> list[str]:
    """The IP addresses of the target, resolved now. Unavailable if there are none or if one of them is an inner one."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(_("找不到这个主机名，请核对地址。")) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        ip = ipaddress.ip_address(address)
        loose = target.scheme == "http" and not ip.is_loopback
        if loose or not _is_permitted(ip, target.host, allowed):
            raise Unavailable(_inside())
    return addresses


# -- sending --------------------------------------------------------------------------------------------------------


class _Connection(HTTPConnection):
    """A connection to the first of ``addresses`` that answers; it ends at ``deadline`` (monotonic seconds) in any case."""

    def __init__(self, target: Target, addresses: Sequence[str], deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = PORTS[target.scheme]
        self._secure, self._addresses, self._deadline = target.scheme == "https", addresses, deadline
        self._timer = threading.Timer(self._left(), self._cut)
        self._timer.daemon = True
        self._line: socket.socket | None = None
        self.is_late = False

    def _left(self) -> float:
        return max(0.01, self._deadline - time.monotonic())

    def connect(self) -> None:
        """Connect to a checked address; the certificate must be that of the host."""
        self._timer.start()
        line = self._reach()
        if self._secure:
            context = ssl.create_default_context()
            self._line = line = context.wrap_socket(line, server_hostname=self.host, do_handshake_on_connect=False)
            line.do_handshake()
        self.sock = line

    def _reach(self) -> socket.socket:
        """An open line. A host may have addresses of a kind that this machine has no way to: the next one is tried."""
        trouble: OSError = OSError("no address")
        for address in self._addresses:
            self._line = line = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            line.settimeout(self._left())
            try:
                line.connect((address, self.port))
                return line
            except OSError as error:
                trouble = error
                line.close()
        raise trouble

    def _cut(self) -> None:
        # A timeout counts anew with every byte; a receiver that sends one now and then would hold the worker.
        self.is_late = True
        if self._line is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)

    def end(self) -> None:
        """Close, and let the clock go. ``close`` alone is also called by the library, before the answer is read."""
        self._timer.cancel()
        self.close()
        if self._line is not None:
            self._line.close()


def post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str] = (), seconds: float = SECONDS
) -> Answer:
    """POST ``body`` once, without following redirects; ``seconds`` for everything after the name is resolved.

    Unavailable (a sentence for administrators) if no answer came. InvalidInput for an address that is not permitted.
    """
    target = target_of(url, allowed)
    addresses = addresses_of(target, allowed)
    connection = _Connection(target, addresses, time.monotonic() + seconds)
    try:
        connection.request("POST", target.path, body, {**headers, "Connection": "close"})
        with connection.getresponse() as answer:
            said = answer.read(ANSWER_LIMIT)
        if connection.is_late:
            raise TimeoutError
        return Answer(answer.status, excerpt_of(said))
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(_reason(error, connection.is_late)) from error
    finally:
        connection.end()


def _reason(error: Exception, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return _("对方没有在规定时间内答复。")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("对方的证书不可信或不是这个主机的，没有发送。")
    if isinstance(error, ssl.SSLError):
        return _("和对方建立加密连接时出错。")
    if isinstance(error, OSError):
        return _("连不上对方，或连接中断。")
    return _("对方的答复不是 HTTP，读不懂。")


def excerpt_of(said: bytes) -> str:
    """The beginning of an answer as one line of text."""
    return _CONTROL.sub(" ", said[: 4 * EXCERPT].decode("utf-8", "replace")).strip()[:EXCERPT]
