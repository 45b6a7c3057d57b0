"""Typed settings. Every environment variable the product reads stands here, with its default or none at all.

Production (``SHENBAO_ENV=production``) has no default for secrets: the application refuses to start without them.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
MAX_FILE_BYTES = 100 * 1024 * 1024
"""Files must be smaller than this many bytes."""


class SettingsError(Exception):
    """A setting is missing or unusable; the message says which and what to do."""


def _secret_key(data_dir: Path, production: bool) -> str:
    key = os.environ.get("SECRET_KEY")
    if key is None and not production:
        path = data_dir / "secret_key"
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(secrets.token_urlsafe(48))
            path.chmod(0o600)
        key = path.read_text().strip()
    if key is None:
        raise SettingsError("SECRET_KEY is not set. Set it to at least 32 random characters.")
    if len(key.encode()) < 32:
        raise SettingsError("SECRET_KEY is shorter than 32 bytes. Set a longer random one.")
    return key


def _second_factor() -> bool:
    """Whether staff also need an SMS code to sign in: always in production unless ``STAFF_SECOND_FACTOR=0``."""
    value = os.environ.get("STAFF_SECOND_FACTOR") or ("1" if _production() else "0")
    if value not in ("0", "1"):  # "yes" or "true" must not switch a protection off without a word
        raise SettingsError(f"STAFF_SECOND_FACTOR is {value!r}. Set it to 1 (on) or 0 (off).")
    return value == "1"


def _production() -> bool:
    value = os.environ.get("SHENBAO_ENV") or "development"
    if value not in ("production", "development"):  # a misspelt "prod" must not run with the development's defaults
        raise SettingsError(f"SHENBAO_ENV is {value!r}. Set it to production, or to development, or leave it out.")
    return value == "production"


def _whole_number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise SettingsError(f"{name} is {value!r}. Set it to a whole number, 0 or more.")
    return int(value)


def _hosts(name: str, value: str) -> frozenset[str]:
    """Host names and IP addresses, separated by commas."""
    found = {host.strip().lower() for host in value.split(",")} - {""}
    if not all(re.fullmatch(r"[a-z0-9._:-]+", host) for host in found):
        raise SettingsError(
            f"{name} is not usable. Set it to names or addresses of hosts, such as a.example.cn,10.1.2.3."
        )
    return frozenset(found)


_FORMS = {
    "DATABASE_URL": ("database_url", r"(sqlite|postgresql)(\+\w+)?:.+", "postgresql+psycopg://user:password@host/name"),
    "REDIS_URL": ("redis_url", r"(rediss?|unix)://.+", "an address such as redis://host:6379/0"),
    "PUBLIC_URL": ("public_url", r"https?://[^\s/]+(/\S*)?", "the address people type, such as https://host"),
    "SMS_URL": (
        "sms_url",
        r"https://.+|http://(127\.0\.0\.1|localhost|\[::1\])([:/].*)?",
        "an address that begins with https://",
    ),
    "CITY_CODE": ("city_code", r"[0-9]{6}", "the six digits of the region, such as 230100"),
}
"""Settings with their attribute, what a value must look like, and an example. Messages repeat no value: some hold passwords."""


def _check_storage(url: str) -> None:
    """SettingsError unless files can be kept at ``url``: a folder, or an address whose file system is installed."""
    scheme, colon, rest = url.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme):  # one letter is a drive
        return
    if not re.fullmatch(r"//.*|:[^:].*://.*", rest) or (scheme == "file" and rest == "//"):
        raise SettingsError(
            "STORAGE_URL is not usable. Set it to a folder, or to an address such as s3://bucket/prefix."
        )
    for name in re.split(r"::", url.partition("://")[0]):
        _check_file_system(name)


def _check_file_system(name: str) -> None:
    from fsspec import get_filesystem_class  # a tenth of a second that only those pay who use it

    try:
        get_filesystem_class(name)
    except ValueError as error:
        raise SettingsError(
            f"STORAGE_URL: nothing is known that keeps files at {name}://. Set it to a folder, or to an address such as "
            "s3://bucket/prefix."
        ) from error
    except ImportError as error:
        raise SettingsError(f"STORAGE_URL: the package for {name}:// is not installed. {error}.") from error


@dataclass(frozen=True)
class Settings:
    """All settings of one process."""

    production: bool = field(default_factory=_production)
    data_dir: Path = field(default_factory=lambda: Path(os.environ.get("DATA_DIR", ROOT / "instance")).resolve())
    database_url: str | None = field(default_factory=lambda: os.environ.get("DATABASE_URL"))
    redis_url: str | None = field(default_factory=lambda: os.environ.get("REDIS_URL"))
    storage_url: str | None = field(default_factory=lambda: os.environ.get("STORAGE_URL"))
    public_url: str = field(default_factory=lambda: os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000"))
    sms_url: str | None = field(default_factory=lambda: os.environ.get("SMS_URL"))
    sms_key: str = field(default_factory=lambda: os.environ.get("SMS_KEY", ""))
    sms_secret: str = field(default_factory=lambda: os.environ.get("SMS_SECRET", ""))
    sms_daily_cap: int = field(
        default_factory=lambda: _whole_number("SMS_DAILY_CAP", os.environ.get("SMS_DAILY_CAP", "5000"))
    )
    staff_second_factor: bool = field(default_factory=_second_factor)
    proxies: int = field(
        default_factory=lambda: _whole_number("TRUSTED_PROXIES", os.environ.get("TRUSTED_PROXIES", "0"))
    )
    api_per_minute: int = field(
        default_factory=lambda: _whole_number("API_PER_MINUTE", os.environ.get("API_PER_MINUTE", "600"))
    )
    webhook_allowed_hosts: frozenset[str] = field(
        default_factory=lambda: _hosts("WEBHOOK_ALLOWED_HOSTS", os.environ.get("WEBHOOK_ALLOWED_HOSTS", ""))
    )
    site_owner: str = field(default_factory=lambda: os.environ.get("SITE_OWNER", "哈尔滨市工业和信息化局"))
    site_phone: str = field(default_factory=lambda: os.environ.get("SITE_PHONE", "0451-8400 0000"))
    city_code: str = field(default_factory=lambda: os.environ.get("CITY_CODE", "230100"))

    def __post_init__(self) -> None:
        """Raises SettingsError for a value that cannot be meant: better now than at the first upload or message."""
        for name, (attribute, form, example) in _FORMS.items():
            value = getattr(self, attribute)
            if value and not re.fullmatch(form, value, re.ASCII):
                raise SettingsError(f"{name} is not usable. Set it to {example}.")
        _check_storage(self.storage_url or "")

    def flask_config(self) -> dict[str, Any]:
        """The mapping that Flask and its extensions read."""
        https = self.public_url.startswith("https://")
        return {
            "SETTINGS": self,
            "SECRET_KEY": _secret_key(self.data_dir, self.production),
            "SQLALCHEMY_DATABASE_URI": self.database_url or f"sqlite:///{self.data_dir / 'shenbao.db'}",
            # A request holds one connection for reading and, while it changes something, a second one.
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 25},
            "DATA_DIR": self.data_dir,
            "REDIS_URL": self.redis_url,
            "STORAGE_URL": self.storage_url,
            "MAX_CONTENT_LENGTH": MAX_FILE_BYTES + 5 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
            "MAX_FORM_PARTS": 20_000,
            "MAX_FILE_BYTES": MAX_FILE_BYTES,
            "SESSION_COOKIE_NAME": "__Host-session" if https else "session",
            "SESSION_COOKIE_SECURE": https,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_IDLE": timedelta(minutes=30),
            "SESSION_ABSOLUTE": timedelta(hours=12),
            "PREFERRED_URL_SCHEME": "https" if https else "http",
            "WTF_CSRF_TIME_LIMIT": None,
            "BABEL_DEFAULT_LOCALE": "zh",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
            # Absolute: Flask-AppBuilder appends it, and ours then wins over its own catalogue.
            "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
            "LANGUAGES": {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}},
            "BOOTSTRAP_SERVE_LOCAL": True,
            "APP_NAME": "申报",
            "AUTH_TYPE": 1,
            "AUTH_ROLE_ADMIN": "admin",
            "AUTH_ROLE_PUBLIC": "Public",
            "AUTH_USER_REGISTRATION": False,
            "FAB_CREATE_DB": False,
            "FAB_UPDATE_PERMS": False,
            "FAB_ADD_SECURITY_API": False,
            "FAB_API_SWAGGER_UI": False,
            "RATELIMIT_ENABLED": False,
            "API_PER_MINUTE": self.api_per_minute,
            "SITE_OWNER": self.site_owner,
            "SITE_PHONE": self.site_phone,
            "CITY_CODE": self.city_code,
            "PUBLIC_URL": self.public_url,
            "TRUSTED_PROXIES": self.proxies,
        }
