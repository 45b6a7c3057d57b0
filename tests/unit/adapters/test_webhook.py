"""Announcements on the wire: where they may go, how they are signed, and what a hostile receiver can do with the sender."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.adapters import webhook
from app.adapters.webhook import Answer, Target, addresses_of, excerpt_of, post, sign, target_of
from app.errors import InvalidInput, Unavailable
from tests.factories_webhook import Received, Receiver, is_genuine, receiving

SECRET, BODY = "s" * 43, b'{"id":"1","type":"declaration.confirm"}'
HERE = ("127.0.0.1", "localhost")
PUBLIC = "93.184.216.34"


@pytest.fixture(autouse=True)
def sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts without an application: the ids are the texts."""
    monkeypatch.setattr(webhook, "_", lambda text, **values: text % values if values else text)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def resolver(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names resolve to ``answers``, one list per question, the last from then on; gives the hosts that were asked for."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_more: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


# -- the signature --------------------------------------------------------------------------------------------------


def test_signature_by_hand() -> None:
    """The value of RFC 2104 over ``t.body``, computed with nothing but its two hashes."""
    key = SECRET.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(k ^ 0x36 for k in key) + b"1700000000." + BODY).digest()
    outer = hashlib.sha256(bytes(k ^ 0x5C for k in key) + inner).hexdigest()
    assert sign(SECRET, 1700000000, BODY) == f"t=1700000000,v1={outer}"


def signed(body: bytes = BODY, secret: str = SECRET, at: int = 1_700_000_000) -> Received:
    return Received({"x-shenbao-signature": sign(secret, at, body)}, body, "/in")


def test_a_receiver_recognises_us() -> None:
    assert is_genuine(SECRET, signed(), at=1_700_000_000)
    assert is_genuine(SECRET, signed("哈尔滨".encode()), at=1_700_000_299)


@pytest.mark.parametrize(
    "tampered",
    [
        Received(signed().headers, BODY + b" ", "/in"),
        Received(signed().headers, BODY.replace(b"confirm", b"reject"), "/in"),
        Received(signed().headers, b"", "/in"),
        Received({"x-shenbao-signature": signed().headers["x-shenbao-signature"].replace("1700000000", "1700000001")}, BODY, ""),
        Received({"x-shenbao-signature": f"t=1700000000,v1={'0' * 64}"}, BODY, ""),
        Received({"x-shenbao-signature": f"t=1700000000,v1={hmac.new(SECRET.encode(), BODY, 'sha256').hexdigest()}"}, BODY, ""),
        signed(secret="x" * 43),
    ],
    ids=["appended", "changed", "emptied", "other time", "zeros", "without time", "other secret"],
)  # fmt: skip
def test_what_was_tampered_with_is_not_genuine(tampered: Received) -> None:
    assert not is_genuine(SECRET, tampered, at=1_700_000_000)


def test_an_old_announcement_cannot_be_played_again() -> None:
    assert not is_genuine(SECRET, signed(), at=1_700_000_301)


# -- where to -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example.cn", Target("https", "a.example.cn", 443, "/")),
        ("https://A.Example.CN:8443/in/%E4%BD%A0?key=1&b=", Target("https", "a.example.cn", 8443, "/in/%E4%BD%A0?key=1&b=")),
        ("https://xn--fiq228c.cn/", Target("https", "xn--fiq228c.cn", 443, "/")),
        ("https://93.184.216.34/in", Target("https", PUBLIC, 443, "/in")),
        ("https://[2400:3200::1]/in", Target("https", "2400:3200::1", 443, "/in")),
    ],
    ids=["bare", "whole", "punycode", "v4", "v6"],
)  # fmt: skip
def test_addresses_that_can_be_used(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "别的不能用的字符"), ("hooks.example.cn", "完整的网址"), ("https://", "完整的网址"), ("https:///in", "完整的网址"),
        ("ftp://a.example.cn/", "完整的网址"), ("file:///etc/passwd", "完整的网址"), ("javascript:alert(1)", "完整的网址"),
        ("https://a.example.cn:99999/", "完整的网址"), ("https://a.example.cn:0/", "完整的网址"), ("https://[::1/", "完整的网址"),
        ("http://a.example.cn/", "https://"), ("http://127.0.0.1/", "https://"), ("http://localhost:8000/", "https://"),
        ("https://user:word@a.example.cn/", "用户名和密码"), ("https://a.example.cn@10.0.0.1/", "用户名和密码"),
        ("https://a.example.cn/#part", "主机名"), ("https://-a.cn/", "主机名"), ("https://a..cn/", "主机名"),
        ("https://a.example.cn/ in", "字符"), ("https://a.example.cn/\r\nHost: b", "字符"), ("https://a.example.cn\\@b/", "字符"),
        ("https://例子.cn/", "字符"), ("https://１２７.0.0.1/", "字符"), ("https://a.example.cn/\x00", "字符"),
        ("https://2130706433/", "主机名"), ("https://0x7f000001/", "主机名"), ("https://0177.0.0.1/", "主机名"),
        ("https://127.1/", "主机名"), ("https://0x7f.0x1/", "主机名"), ("https://[fe80::1%25eth0]/", "主机名"),
        ("https://a.example.cn/" + "x" * 500, "500"),
    ],
    ids=lambda v: ascii(v)[:40],
)  # fmt: skip
def test_addresses_that_cannot_be_used(url: str, words: str) -> None:
    with pytest.raises(InvalidInput) as problem:
        target_of(url)
    assert words in problem.value.message


INNER = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.1.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:7f00:1::1", "2001:db8::1",
)  # fmt: skip


def written(ip: str) -> str:
    return f"https://[{ip}]/in" if ":" in ip else f"https://{ip}/in"


@pytest.mark.parametrize("ip", INNER)
def test_inner_addresses_are_refused_as_written_and_behind_a_name(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="WEBHOOK_ALLOWED_HOSTS"):
        target_of(written(ip))
    for found in ([ip], [PUBLIC, ip], [ip, PUBLIC]):
        resolver(monkeypatch, found)
        with pytest.raises(Unavailable, match="WEBHOOK_ALLOWED_HOSTS"):
            addresses_of(target_of("https://hooks.example.cn/"))


@pytest.mark.parametrize("ip", [PUBLIC, "114.114.114.114", "223.5.5.5", "2400:3200::1", "172.32.0.1", "11.0.0.1"])
def test_open_addresses_are_permitted(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert target_of(written(ip)).host == ip
    resolver(monkeypatch, [ip])
    assert addresses_of(target_of("https://hooks.example.cn/")) == [ip]


def test_operators_open_inner_hosts_by_name_or_number(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, ["10.1.2.3"])
    assert addresses_of(target_of("https://inner.gov.cn/"), {"inner.gov.cn"}) == ["10.1.2.3"]
    assert addresses_of(target_of("https://other.gov.cn/"), {"10.1.2.3"}) == ["10.1.2.3"]
    with pytest.raises(Unavailable):
        addresses_of(target_of("https://other.gov.cn/"), {"inner.gov.cn"})
    assert target_of("https://10.1.2.3/", {"10.1.2.3"}).host == "10.1.2.3"
    with pytest.raises(InvalidInput):
        target_of("https://10.1.2.4/", {"10.1.2.3"})


@pytest.mark.parametrize("ip", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "168.63.129.16"])
def test_a_permitted_name_never_leads_to_the_keys_of_a_cloud(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, [ip])
    with pytest.raises(Unavailable):
        addresses_of(target_of("https://inner.gov.cn/"), {"inner.gov.cn"})


def test_http_only_to_this_machine_and_only_where_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert target_of(f"http://{host}:8000/in", {host.strip("[]")}).port == 8000
    with pytest.raises(InvalidInput, match="https"):
        target_of("http://inner.gov.cn/", {"inner.gov.cn"})
    resolver(monkeypatch, ["10.0.0.1"])
    with pytest.raises(Unavailable):
        addresses_of(target_of("http://localhost/", {"localhost"}), {"localhost"})


@pytest.mark.parametrize("found", [[], ["10.0.0.1"]], ids=["unknown", "inner"])
def test_a_name_that_does_not_lead_out_is_never_connected_to(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, found)
    monkeypatch.setattr(socket.socket, "connect", lambda *_args: pytest.fail("connected"))
    with pytest.raises(Unavailable):
        post("https://hooks.example.cn/in", BODY, {})


def test_the_checked_address_is_connected_to_and_the_name_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose second answer is this machine (rebinding) gains nothing: there is no second question."""
    asked = resolver(monkeypatch, [PUBLIC], ["127.0.0.1"])
    reached: list[Any] = []

    def connect(_self: socket.socket, address: Any) -> None:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unavailable, match="连不上"):
        post("https://hooks.example.cn:8443/in", BODY, {})
    assert (asked, reached) == (["hooks.example.cn"], [(PUBLIC, 8443)])


# -- sending --------------------------------------------------------------------------------------------------------


def test_what_arrives(receiver: Receiver) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Shenbao-Event": "declaration.confirm"}
    answer = post(f"{receiver.url}?key=1", BODY, headers, HERE)
    assert answer == Answer(200, "ok")
    (seen,) = receiver.seen
    assert (seen.path, seen.body) == ("/in?key=1", BODY)
    assert seen.headers["content-length"] == str(len(BODY))
    assert seen.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert seen.headers["x-shenbao-event"] == "declaration.confirm"


def test_the_next_address_is_tried_if_the_first_is_out_of_reach(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver(monkeypatch, ["::1", "127.0.0.1"])
    url = receiver.url.replace("127.0.0.1", "localhost")
    assert post(url, BODY, {}, HERE).status == 200


@pytest.mark.parametrize("status", [204, 400, 404, 410, 500, 503])
def test_every_status_is_an_answer(receiver: Receiver, status: int) -> None:
    receiver.statuses, receiver.answer = [status], b"" if status == 204 else b"no"
    assert post(receiver.url, BODY, {}, HERE) == Answer(status, "" if status == 204 else "no")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [status], {"Location": elsewhere.url}
        assert post(receiver.url, BODY, {}, HERE).status == status
        assert elsewhere.seen == []


def test_proxies_of_the_environment_are_left_out(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url, BODY, {}, HERE).status == 200


def test_a_huge_answer_is_read_in_part(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def excerpt(said: bytes) -> str:
        read.append(len(said))
        return ""

    monkeypatch.setattr(webhook, "excerpt_of", excerpt)
    receiver.answer = b"x" * 20_000_000
    assert post(receiver.url, BODY, {}, HERE).status == 200
    assert read == [64 * 1024]


@pytest.mark.parametrize("way", ["silent", "dripping"])
def test_a_slow_receiver_holds_nobody(receiver: Receiver, way: str) -> None:
    if way == "silent":
        receiver.hold.clear()
    receiver.drip = way == "dripping"
    began = time.monotonic()
    with pytest.raises(Unavailable, match="规定时间"):
        post(receiver.url, BODY, {}, HERE, seconds=0.4)
    assert 0.3 < time.monotonic() - began < 3


def test_nobody_listens_and_nonsense() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match="连不上"):
        post(f"http://127.0.0.1:{port}/", BODY, {}, HERE)


def test_an_answer_that_is_not_http(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.send_response", lambda self, _s: self.wfile.write(b"SSH-2.0\r\n")
    )
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.end_headers", lambda self: None)
    with pytest.raises(Unavailable, match="读不懂"):
        post(receiver.url, BODY, {}, HERE)


@pytest.mark.parametrize(
    ("said", "excerpt"),
    [
        (b"", ""),
        ("收到\r\n谢谢\x00\x1b[31m".encode(), "收到 谢谢 [31m"),
        (b"\xff\xfe", "��"),
        ("长".encode() * 3000, "长" * 500),
        (b" " * 600 + b"x", "x"),
    ],
    ids=["nothing", "controls", "no text", "long", "spaces"],
)
def test_excerpts_are_one_clean_line(said: bytes, excerpt: str) -> None:
    assert excerpt_of(said) == excerpt


# -- encryption -----------------------------------------------------------------------------------------------------


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for ``host``, and the file of the one who signed it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(host))]
    at = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(at - dt.timedelta(days=1))
        .not_valid_after(at + dt.timedelta(days=1)).add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    paper, private = folder / "cert.pem", folder / "key.pem"
    paper.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paper, private)
    return context, paper


def test_https_to_a_receiver_with_a_good_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, paper = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(paper))
    with receiving(context) as receiver:
        assert post(receiver.url, BODY, {"X-A": "1"}, HERE) == Answer(200, "ok")
        assert [seen.body for seen in receiver.seen] == [BODY]


@pytest.mark.parametrize("trouble", ["nobody knows it", "of another host"])
def test_a_bad_certificate_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    context, paper = certificate(tmp_path, "localhost" if trouble == "nobody knows it" else "other.example.cn")
    if trouble == "of another host":
        monkeypatch.setenv("SSL_CERT_FILE", str(paper))
    with receiving(context) as receiver:
        with pytest.raises(Unavailable, match="证书"):
            post(receiver.url, BODY, {}, HERE)
        assert receiver.seen == []


def test_a_receiver_without_encryption_behind_https(receiver: Receiver) -> None:
    with pytest.raises(Unavailable, match="加密连接"):
        post(receiver.url.replace("http:", "https:"), BODY, {}, HERE)
    assert receiver.seen == []
