"""Settings: defaults that suit a first try, and for each wrong value a sentence before anything is served.

An operator sees the sentence at the start, not an applicant at the first upload or message.
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import run
from config import MAX_FILE_BYTES, Settings, SettingsError

SETTINGS = [
    "SHENBAO_ENV",
    "DATA_DIR",
    "DATABASE_URL",
    "REDIS_URL",
    "STORAGE_URL",
    "PUBLIC_URL",
    "SMS_URL",
    "SMS_KEY",
    "SMS_SECRET",
    "SMS_DAILY_CAP",
    "STAFF_SECOND_FACTOR",
    "WEBHOOK_ALLOWED_HOSTS",
    "TRUSTED_PROXIES",
    "SITE_OWNER",
    "SITE_PHONE",
    "CITY_CODE",
    "SECRET_KEY",
    "HOST",
    "PORT",
]
LONG = "k" * 32


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing is set but the folder for data."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def refused(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """The sentence with which the start is refused."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings().flask_config()
    return str(caught.value)


# -- defaults -------------------------------------------------------------------------------------------------------


def test_nothing_set_is_a_development_machine(tmp_path: Path) -> None:
    settings = Settings()
    assert (settings.production, settings.staff_second_factor, settings.proxies) == (False, False, 0)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert (settings.city_code, settings.sms_daily_cap) == ("230100", 5000)
    config = settings.flask_config()
    assert config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path / 'data' / 'shenbao.db'}"
    assert (config["REDIS_URL"], config["STORAGE_URL"]) == (None, None)


def test_a_development_machine_makes_one_secret_and_keeps_it(tmp_path: Path) -> None:
    first, second = Settings().flask_config()["SECRET_KEY"], Settings().flask_config()["SECRET_KEY"]
    file = tmp_path / "data" / "secret_key"
    assert first == second == file.read_text()
    assert len(first) >= 48
    assert file.stat().st_mode & 0o077 == 0, "nobody else on the machine reads it"


def test_production_makes_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sentence = refused(monkeypatch, SHENBAO_ENV="production")
    assert sentence == "SECRET_KEY is not set. Set it to at least 32 random characters."
    assert not (tmp_path / "data").exists()


def test_production_asks_staff_for_a_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENBAO_ENV", "production")
    assert Settings().staff_second_factor
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    assert not Settings().staff_second_factor


def test_a_development_machine_can_ask_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "1")
    assert Settings().staff_second_factor
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "")
    assert not Settings().staff_second_factor, "empty is as if it were not set"


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SMS_URL", "SHENBAO_ENV"])
def test_an_empty_setting_is_as_if_it_were_not_set(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, "")
    config = Settings().flask_config()
    assert not Settings().production
    assert config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite:///")


# -- wrong values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SMS_DAILY_CAP", "TRUSTED_PROXIES"])
@pytest.mark.parametrize("value", ["", "abc", "-1", "1.5", "１", "1e3", "0x1", " 1", "9" * 30])
def test_counts_are_whole_numbers(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, **{name: value}) == f"{name} is {value!r}. Set it to a whole number, 0 or more."


@pytest.mark.parametrize("value", ["prod", "Production", "PRODUCTION", "live", "1", "true"])
def test_a_misspelt_production_is_no_development(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = refused(monkeypatch, SHENBAO_ENV=value)
    assert sentence == f"SHENBAO_ENV is {value!r}. Set it to production, or to development, or leave it out."


@pytest.mark.parametrize("value", ["yes", "true", "on", "2", "ja", "是"])
def test_a_protection_is_not_switched_off_by_a_word_that_means_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = refused(monkeypatch, STAFF_SECOND_FACTOR=value)
    assert sentence == f"STAFF_SECOND_FACTOR is {value!r}. Set it to 1 (on) or 0 (off)."


@pytest.mark.parametrize(
    ("name", "value", "example"),
    [
        ("DATABASE_URL", "nonsense", "postgresql+psycopg://user:password@host/name"),
        ("DATABASE_URL", "postgres://u:p@h/n", "postgresql+psycopg://user:password@host/name"),
        ("DATABASE_URL", "mysql://u:p@h/n", "postgresql+psycopg://user:password@host/name"),
        ("REDIS_URL", "127.0.0.1:6379", "redis://host:6379/0"),
        ("REDIS_URL", "http://host:6379", "redis://host:6379/0"),
        ("PUBLIC_URL", "shenbao.example.cn", "https://host"),
        ("PUBLIC_URL", "ftp://shenbao.example.cn", "https://host"),
        ("PUBLIC_URL", "https://", "https://host"),
        ("SMS_URL", "http://gateway.example.cn/send", "begins with https://"),
        ("SMS_URL", "gateway.example.cn", "begins with https://"),
        ("SMS_URL", "http://127.0.0.1.example.cn", "begins with https://"),
        ("CITY_CODE", "哈尔滨", "230100"),
        ("CITY_CODE", "2301", "230100"),
        ("CITY_CODE", "２３０１００", "230100"),
    ],
)
def test_addresses_and_codes_have_a_form(name: str, value: str, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = refused(monkeypatch, **{name: value})
    assert sentence.startswith(f"{name} is not usable. Set it to ") and example in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+psycopg://user:pass@host:5432/name?sslmode=require"),
        ("DATABASE_URL", "sqlite:////var/lib/shenbao/shenbao.db"),
        ("REDIS_URL", "redis://:secret@host:6379/0"),
        ("REDIS_URL", "rediss://host:6379"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("PUBLIC_URL", "https://shenbao.example.cn"),
        ("PUBLIC_URL", "http://10.0.0.5:8000/"),
        ("SMS_URL", "https://gateway.example.cn/send"),
        ("SMS_URL", "http://127.0.0.1:9000/send"),
        ("SMS_URL", "http://localhost"),
        ("CITY_CODE", "350200"),
        ("SHENBAO_ENV", "development"),
        ("TRUSTED_PROXIES", "2"),
        ("SMS_DAILY_CAP", "0"),
    ],
)
def test_usable_values_are_taken(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert Settings().flask_config()["SETTINGS"] is not None


@pytest.mark.parametrize("value", ["mysql://root:geheim@host/db", "postgres://u:geheim@h/n"])
def test_a_refused_address_does_not_show_its_password(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "geheim" not in refused(monkeypatch, DATABASE_URL=value)


@pytest.mark.parametrize("key", ["", "x", "x" * 31, "密" * 10])
def test_a_short_secret_is_refused_everywhere(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, SECRET_KEY=key) == "SECRET_KEY is shorter than 32 bytes. Set a longer random one."
    assert "SECRET_KEY" in refused(monkeypatch, SHENBAO_ENV="production")


@pytest.mark.parametrize("key", [LONG, "密" * 11])
def test_a_long_secret_is_taken(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    monkeypatch.setenv("SHENBAO_ENV", "production")
    assert Settings().flask_config()["SECRET_KEY"] == key
    assert not (tmp_path / "data" / "secret_key").exists()


# -- what follows from them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "cookie", "secure", "scheme"),
    [
        ("https://shenbao.example.cn", "__Host-session", True, "https"),
        ("http://127.0.0.1:8000", "session", False, "http"),
    ],
)
def test_cookies_follow_the_public_address(
    url: str, cookie: str, secure: bool, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    config = Settings().flask_config()
    assert (config["SESSION_COOKIE_NAME"], config["SESSION_COOKIE_SECURE"]) == (cookie, secure)
    assert (config["SESSION_COOKIE_HTTPONLY"], config["SESSION_COOKIE_SAMESITE"]) == (True, "Lax")
    assert config["PREFERRED_URL_SCHEME"] == scheme


def test_limits_leave_room_for_the_largest_file() -> None:
    config = Settings().flask_config()
    assert config["MAX_FILE_BYTES"] == MAX_FILE_BYTES == 104_857_600
    assert config["MAX_CONTENT_LENGTH"] > MAX_FILE_BYTES
    assert config["SESSION_IDLE"] == timedelta(minutes=30) < config["SESSION_ABSOLUTE"] == timedelta(hours=12)


def test_settings_do_not_change_while_the_process_runs() -> None:
    settings = Settings()
    with pytest.raises(AttributeError):
        settings.production = True  # type: ignore[misc]


# -- the command line -----------------------------------------------------------------------------------------------


def options(monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[str, int, bool, bool]:
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    found = run.arguments()
    return found.host, found.port, found.no_demo, found.prepare


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(monkeypatch) == ("127.0.0.1", 8000, False, False)
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setenv("PORT", "9001")
    assert options(monkeypatch) == ("0.0.0.0", 9001, False, False)
    assert options(monkeypatch, "--port", "9002", "--no-demo", "--prepare") == ("0.0.0.0", 9002, True, True)


@pytest.mark.parametrize(("words", "port"), [((), "abc"), (("--port", "http"), "8000"), ((), "80a")])
def test_a_port_that_is_no_number_is_said(
    words: tuple[str, ...], port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SystemExit) as caught:
        options(monkeypatch, *words)
    assert caught.value.code == 2
    wrong = words[1] if words else port
    assert f"argument --port: invalid int value: {wrong!r}" in capsys.readouterr().err


def test_a_refused_start_is_a_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHENBAO_ENV", "prod")
    with pytest.raises(SystemExit) as caught:
        run.serve(argparse.Namespace(no_demo=True, prepare=True, host="", port=0))
    assert caught.value.code == (
        "Cannot start. SHENBAO_ENV is 'prod'. Set it to production, or to development, or leave it out."
    )
    assert not (tmp_path / "data").exists(), "nothing was prepared"


# -- where files are kept -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            "s4://bucket",
            "STORAGE_URL: nothing is known that keeps files at s4://. Set it to a folder, or to an address",
        ),
        ("S3://bucket", "STORAGE_URL: nothing is known that keeps files at S3://."),
        ("simplecache::s4://bucket", "nothing is known that keeps files at s4://."),
        ("s3:bucket", "STORAGE_URL is not usable. Set it to a folder, or to an address such as s3://bucket/prefix."),
        ("s3:/bucket/prefix", "STORAGE_URL is not usable."),
        ("file://", "STORAGE_URL is not usable."),
    ],
)
def test_a_store_that_nobody_knows_stops_the_start(value: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sentence in refused(monkeypatch, STORAGE_URL=value)


@pytest.mark.parametrize("value", ["s3://key:secret@bucket/prefix", "simplecache::s3://key:secret@bucket"])
def test_a_store_whose_package_is_missing_stops_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    sentence = refused(monkeypatch, STORAGE_URL=value)
    assert sentence.startswith("STORAGE_URL: the package for s3:// is not installed. Install s3fs")
    assert "secret" not in sentence


@pytest.mark.parametrize(
    "value",
    ["/var/files", "files", "file:///var/files", "memory://files", r"D:\\files", "simplecache::memory://x", "a b"],
)
def test_a_store_that_is_there_is_taken(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_URL", value)
    assert Settings().flask_config()["STORAGE_URL"] == value


def test_the_start_ends_with_the_sentence_and_not_with_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_URL", "s4://bucket")
    with pytest.raises(SystemExit, match="Cannot start. STORAGE_URL: nothing is known"):
        run.serve(argparse.Namespace(no_demo=True, prepare=True, host="127.0.0.1", port=0))


def test_hosts_for_announcements(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert Settings().webhook_allowed_hosts == frozenset()
    monkeypatch.setenv("WEBHOOK_ALLOWED_HOSTS", " Hooks.Inner.gov.cn, 10.1.2.3,,fd00::1 ")
    assert Settings().webhook_allowed_hosts == {"hooks.inner.gov.cn", "10.1.2.3", "fd00::1"}


@pytest.mark.parametrize("value", ["https://a.gov.cn", "a.gov.cn b.gov.cn", "a.gov.cn/in", "*", "10.0.0.0/8"])
def test_hosts_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WEBHOOK_ALLOWED_HOSTS", value)
    with pytest.raises(SettingsError, match="WEBHOOK_ALLOWED_HOSTS"):
        Settings()
