import pytest

from callgrade.domain.errors import SettingsError
from callgrade.settings import all_names, load_settings


def test_defaults_need_nothing():
    settings = load_settings({})
    assert settings.llm.model is None
    assert settings.timezone == "Asia/Shanghai"


def test_the_environment_is_read_and_typed():
    settings = load_settings({"CALLGRADE_LLM__MODEL": "qwen", "CALLGRADE_LLM__CONCURRENCY": "50", "PATH": "/bin"})
    assert (settings.llm.model, settings.llm.concurrency) == ("qwen", 50)


def test_hosts_are_listed_with_commas():
    settings = load_settings({"CALLGRADE_SERVICE__AUDIO_HOSTS": "Storage.example.com, *.pbx.internal,10.0.3.7,fd00::7"})
    assert settings.service.audio_hosts == ("storage.example.com", "*.pbx.internal", "10.0.3.7", "fd00::7")
    assert load_settings({"CALLGRADE_SERVICE__AUDIO_HOSTS": ""}).service.audio_hosts == ()
    for wrong in ("https://storage.example.com", "storage.example.com:8080", "*", "a/b"):
        with pytest.raises(SettingsError, match="AUDIO_HOSTS"):
            load_settings({"CALLGRADE_SERVICE__AUDIO_HOSTS": wrong})


def test_an_unknown_nested_name_is_an_error_with_a_suggestion():
    with pytest.raises(SettingsError, match="CALLGRADE_LLM__MODLE.*Did you mean CALLGRADE_LLM__MODEL"):
        load_settings({"CALLGRADE_LLM__MODLE": "x"})


def test_another_unknown_name_only_warns():
    with pytest.warns(UserWarning, match="CALLGRADE_SERVICE_HOST is not a setting"):
        load_settings({"CALLGRADE_SERVICE_HOST": "10.0.0.1"})


def test_a_wrong_value_names_the_variable_and_not_the_value():
    with pytest.raises(SettingsError, match="CALLGRADE_LLM__CONCURRENCY") as error:
        load_settings({"CALLGRADE_LLM__CONCURRENCY": "sk-secret"})
    assert "sk-secret" not in str(error.value)


def test_the_key_does_not_show():
    assert "sk-secret" not in repr(load_settings({"CALLGRADE_LLM__API_KEY": "sk-secret"}))


def test_a_file_is_read_and_the_environment_wins(tmp_path):
    file = tmp_path / "callgrade.toml"
    file.write_text('language = "en"\n[llm]\nmodel = "from-file"\ntimeout_s = 9\n')
    settings = load_settings({"CALLGRADE_CONFIG": str(file), "CALLGRADE_LLM__MODEL": "from-environment"})
    assert (settings.llm.model, settings.llm.timeout_s, settings.language) == ("from-environment", 9, "en")


@pytest.mark.parametrize(("content", "said"), [("[llm", "is not TOML"), ("[llm]\nmodle = 1", "LLM__MODLE")])
def test_a_bad_file_says_what_is_wrong(tmp_path, content, said):
    file = tmp_path / "callgrade.toml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=said):
        load_settings({"CALLGRADE_CONFIG": str(file)})


def test_a_missing_file_is_named():
    with pytest.raises(SettingsError, match="/nowhere.toml: cannot be read"):
        load_settings({"CALLGRADE_CONFIG": "/nowhere.toml"})


def test_the_contracts_names_are_all_there():
    names = set(all_names())
    for name in ("LLM__BASE_URL", "LLM__API_KEY", "LLM__TIMEOUT_S", "ASR__MODEL", "ASR__DEVICE", "ASR__AGENT_CHANNEL",
                 "DATA_DIR", "TIMEZONE"):  # fmt: skip
        assert f"CALLGRADE_{name}" in names


def test_roles_are_paired_in_a_variable_and_a_table_in_a_file(tmp_path):
    settings = load_settings({"CALLGRADE_OIDC__ROLES": "qa=reviewer, ops=admin"})
    assert settings.oidc.roles == {"qa": "reviewer", "ops": "admin"}
    file = tmp_path / "callgrade.toml"
    file.write_text('[oidc.roles]\nqa = "reviewer"\n')
    assert load_settings({"CALLGRADE_CONFIG": str(file)}).oidc.roles == {"qa": "reviewer"}
    for wrong in ("qa", "qa=client", "=admin,x"):
        with pytest.raises(SettingsError, match="CALLGRADE_OIDC__ROLES"):
            load_settings({"CALLGRADE_OIDC__ROLES": wrong})


def test_cookies_travel_over_tls_alone_where_people_come_over_tls():
    assert not load_settings({}).desk.over_tls
    assert load_settings({"CALLGRADE_DESK__URL": "https://qa.example.com"}).desk.over_tls
    behind = {"CALLGRADE_DESK__URL": "https://qa.example.com", "CALLGRADE_DESK__COOKIE_SECURE": "false"}
    assert not load_settings(behind).desk.over_tls
    for wrong in ("qa.example.com", "https://qa.example.com/path", "ftp://x"):
        with pytest.raises(SettingsError, match="CALLGRADE_DESK__URL"):
            load_settings({"CALLGRADE_DESK__URL": wrong})


def test_a_mail_server_is_whole_or_none():
    told = {"CALLGRADE_MAIL__HOST": "mail.example.com", "CALLGRADE_MAIL__FROM": "qa@example.com"}
    mail = load_settings({**told, "CALLGRADE_MAIL__PASSWORD": "secret"}).mail
    assert (mail.sender, mail.port, mail.tls) == ("qa@example.com", 587, "starttls")
    assert "secret" not in repr(mail)
    assert load_settings({}).mail.host == ""
    in_the_clear = {"CALLGRADE_MAIL__USERNAME": "qa", "CALLGRADE_MAIL__TLS": "none"}
    for wrong, named in (
        ({"CALLGRADE_MAIL__HOST": "mail.example.com"}, "CALLGRADE_MAIL__FROM"),
        ({**told, **in_the_clear}, "CALLGRADE_MAIL__TLS"),
        ({**told, "CALLGRADE_MAIL__FROM": "qa@x\r\nBcc: eve@x"}, "CALLGRADE_MAIL__FROM"),
        ({**told, "CALLGRADE_MAIL__SENDER": "qa@example.com"}, "CALLGRADE_MAIL__SENDER"),
    ):
        with pytest.raises(SettingsError, match=named):
            load_settings(wrong)


def test_a_model_that_is_written_as_empty_is_none():
    empty = dict.fromkeys(("CALLGRADE_LLM__MODEL", "CALLGRADE_LLM__BASE_URL", "CALLGRADE_LLM__API_KEY"), "")
    llm = load_settings(empty).llm
    assert (llm.model, llm.base_url, llm.api_key) == (None, None, None)
