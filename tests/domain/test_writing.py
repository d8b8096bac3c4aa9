"""Whether something could be found missing in words."""

import pytest

from callgrade.domain.writing import legible


@pytest.mark.parametrize(
    "said",
    [
        "您好",
        "您好，請問",
        "Good morning, Café Müller",
        "這個 Wi-Fi",
        "13800",
        "嗯",
        "我们的 APP 叫 Яндекс",
        "ＡＢＣ",
        "𠮷野家",
    ],
)
def test_hanzi_latin_letters_and_digits_are(said):
    assert legible([said])


@pytest.mark.parametrize(
    "said",
    [
        "",
        "……",
        "？！ ",
        "Вы что?",
        "안녕하세요",
        "ได้ค่ะ",
        "お客様はおかしいですよ",
        "ياخشىمۇسىز",
        "བཀྲ་ཤིས།",
        "OK, спасибо большое",
    ],
)
def test_nothing_and_other_writings_are_not(said):
    assert not legible([said])


def test_turns_are_taken_together():
    assert legible(["спасибо", "您好，这里是客服中心"])
    assert not legible(["спасибо большое", "您好"])
    assert not legible([])
