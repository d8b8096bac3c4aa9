"""What is taken out of a call and what is left, sentence by sentence.

Every number, name and address is invented: mobiles are 138-0013-8000 and the like, identity cards are born on
1 January 1900 and 1901 with a computed check digit, cards are ascending digits completed by Luhn's.
"""

import subprocess
import sys

import pytest

from callgrade.adapters.redaction import NoRedaction, RuleRedactor
from callgrade.adapters.redaction.placeholders import Redacted
from callgrade.ports import Redaction, Redactor

ID_CARD = "110101190001010014"  # synthetic: born in 1900, check digit computed
OLD_ID_CARD = "110101900101001"  # synthetic: the fifteen digits used before 1999
BANK_CARD = "6222021234567890128"  # synthetic: ascending digits, completed by Luhn
FOREIGN = "+44 20 7946 0958"  # from the range that Ofcom keeps free for fiction


def redact(*turns: str) -> Redacted:
    return RuleRedactor().redact(turns)


def one(turn: str) -> str:
    return redact(turn).texts[0]


def test_the_redactors_are_redactors() -> None:
    redactors: list[Redactor] = [RuleRedactor(), NoRedaction()]
    redactions: list[Redaction] = [redactor.redact(["我是13800138000"]) for redactor in redactors]
    assert [redactor.name for redactor in redactors] == ["rules/1", "off"]
    assert [redaction.texts for redaction in redactions] == [("我是[电话1]",), ("我是13800138000",)]
    assert redactions[1].restore("[电话1]") == "[电话1]"


# ── Telephone numbers ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "138.0013.8000",
        "１３８００１３８０００",
        "一三八零零一三八零零零",
        "幺三八零零幺三八零零零",
        "幺三八，零零幺三，八零零零",
        "一三八。零零一三。八零零零",
        "一三八，嗯，零零一三，呃八零零零",
        "138零零13八000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "壹叁捌零零壹叁捌零零零",
        "138\u200b0013\u200b8000",
        "01062345678",
        "010-62345678",
        "零一零六二三四五六七八",
        "零五七一杠八七六五四三二一",
        "0571 8765 4321",
        "400-800-8000",
        "四零零八零零八零零零",
        "8008108888",
    ],
)
def test_a_telephone_number_in_any_writing(written: str) -> None:
    assert one(f"我的号码{written}，麻烦您记一下。") == "我的号码[电话1]，麻烦您记一下。"
    assert one(written) == "[电话1]"


@pytest.mark.parametrize("prefix", ["+86 ", "+86", "86", "0086", "＋８６", "加八六", "86-"])
def test_the_country_code_stays_so_that_the_mobile_is_the_same_one(prefix: str) -> None:
    assert redact(f"号码{prefix}13800138000", "13800138000").texts == (f"号码{prefix}[电话1]", "[电话1]")


def test_a_misheard_one_at_the_head_of_a_mobile_number() -> None:
    assert one("号码是要三八零零一三八零零零") == "号码是[电话1]"
    assert one("我要三个套餐") == "我要三个套餐"


@pytest.mark.parametrize("written", [FOREIGN, "(415) 555-2671", "415-555-2671", "1-800-555-0199"])
def test_numbers_from_abroad(written: str) -> None:
    assert "[电话1]" in one(f"you can reach me on {written}, thanks")
    assert not any(char.isdigit() for char in one(written).replace("[电话1]", ""))


def test_groups_that_are_no_number_abroad_stay() -> None:
    assert one("you said 115, 155 and 2671 words") == "you said 115, 155 and 2671 words"


def test_a_number_in_english_words() -> None:
    assert one("it's four one five, double five five, two six seven one") == "it's [号码1]"
    assert one("one or two of them, three at most") == "one or two of them, three at most"


@pytest.mark.parametrize("hotline", ["10086", "95588", "110", "12345", "一零零八六"])
def test_public_short_numbers_stay(hotline: str) -> None:
    assert one(f"您打电话到{hotline}，或者拨打{hotline}都可以") == f"您打电话到{hotline}，或者拨打{hotline}都可以"


def test_two_numbers_side_by_side() -> None:
    assert one("13800138000、13900139000，13800138000") == "[电话1]、[电话2]，[电话1]"


# ── Identity cards, bank cards, other numbers ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "placeholder"),
    [
        (ID_CARD, "[身份证1]"),
        ("110101 19000101 0014", "[身份证1]"),
        ("一一零一零一一九零零零一零一零零一四", "[身份证1]"),
        ("11010119010101002X", "[身份证1]"),
        ("幺幺零幺零幺幺九零幺零幺零幺零零二叉", "[身份证1]"),
        (OLD_ID_CARD, "[身份证1]"),
        (BANK_CARD, "[银行卡1]"),
        ("6222 0212 3456 7890 128", "[银行卡1]"),
        ("六二二二，零二一二，三四五六，七八九零，一二八", "[银行卡1]"),
        ("4111111111111111", "[银行卡1]"),
    ],
)
def test_checksums_name_the_kind_without_a_cue(written: str, placeholder: str) -> None:
    assert one(f"就是{written}，对") == f"就是{placeholder}，对"


@pytest.mark.parametrize(
    ("written", "redacted"),
    [
        ("110101190001010015", "[号码1]"),
        ("一一零一零一一九零零零一零一零零一五", "[号码1]"),
        ("6222 0212 3456 7890 129", "[号码1]"),
        ("身份证号110101190001010015", "身份证号[身份证1]"),
        ("身份证号是11010119000101001X", "身份证号是[身份证1]"),
        ("卡号6222021234567890129", "卡号[银行卡1]"),
        ("我家电话88888888", "我家电话[电话1]"),
        ("20261101123456789", "[号码1]"),
    ],
)
def test_a_misheard_digit_spoils_the_checksum_but_saves_nothing(written: str, redacted: str) -> None:
    assert one(written) == redacted


@pytest.mark.parametrize(
    ("said", "redacted"),
    [
        ("身份证后四位三七二一", "身份证后四位[号码1]"),
        ("身份证后四位的话您记一下是三七二一", "身份证后四位的话您记一下是[号码1]"),
        ("身份證後四位三七二一", "身份證後四位[号码1]"),
        ("三七二一是我身份证后四位", "[号码1]是我身份证后四位"),
        ("尾号3721的号码", "尾号[号码1]的号码"),
        ("身份证尾号123X", "身份证尾号[号码1]"),
        ("验证码 四五六七八九，您填一下", "验证码 [号码1]，您填一下"),
        ("服务密码是888888", "服务密码是[号码1]"),
        ("订单号是20261101123456", "订单号是[号码1]"),
        ("订单号DD20261101A8已经发货", "订单号[号码1]已经发货"),
        ("密码是abc123", "密码是[号码1]"),
        ("微信号wxid_abc123", "微信号[号码1]"),
        ("快递单号SF1234567890123", "快递单号[号码1]"),
        ("宽带账号hz12345678", "宽带账号[号码1]"),
        ("我的分机8021", "我的分机[号码1]"),
        ("尾号3721套餐到期了", "尾号[号码1]套餐到期了"),
        ("账号是3721号", "账号是[号码1]号"),
        ("验证码3721，59元的那个", "验证码[号码1]，59元的那个"),
        ("密码是三七二一，然后是五八九", "密码是[号码1]，然后是[号码2]"),
        ("the verification code is 482913", "the verification code is [号码1]"),
        ("the last four digits are three seven two one", "the last four digits are [号码1]"),
        ("我的PIN是1234", "我的PIN是[号码1]"),
        ("order number AB12345, please", "order number [号码1], please"),
    ],
)
def test_numbers_after_a_cue(said: str, redacted: str) -> None:
    assert one(said) == redacted


@pytest.mark.parametrize(
    ("said", "redacted"),
    [
        ("工号八零三一为您服务", "工号[工号1]为您服务"),
        ("我的工号是8031，请问", "我的工号是[工号1]，请问"),
        ("工号：A8031", "工号：[工号1]"),
        ("工号八千零三十一", "工号[工号1]"),
        ("8031号客服为您服务", "[工号1]号客服为您服务"),
        ("八零三一号话务员，很高兴为您服务", "[工号1]号话务员，很高兴为您服务"),
        ("my employee number is 8031", "my employee number is [工号1]"),
    ],
)
def test_who_the_agent_is_goes_and_the_word_stays(said: str, redacted: str) -> None:
    assert one(said) == redacted


@pytest.mark.parametrize("said", ["10086客服为您服务", "我们将一一为您服务", "您的工号是多少？", "工号要报四位数"])
def test_words_about_staff_numbers_stay(said: str) -> None:
    assert one(said) == said


# ── Numbers dictated over turns ─────────────────────────────────────────────────────────────────────────────────────


def test_the_answer_to_a_question() -> None:
    assert redact("请问身份证后四位是多少？", "三七二一。", "好的，三七二一对吧？").texts == (
        "请问身份证后四位是多少？",
        "[号码1]。",
        "好的，[号码1]对吧？",
    )


def test_a_number_in_pieces_with_echoes() -> None:
    said = (
        "请您报一下手机号。",
        "一三八",
        "一三八，嗯",
        "零零一三",
        "好的",
        "八零零",
        "零。",
        "一三八零零一三八零零零，对吗",
    )
    assert redact(*said).texts == (
        "请您报一下手机号。",
        "[号码1]",
        "[号码1]，嗯",
        "[号码2]",
        "好的",
        "[号码3]",
        "[号码4]。",
        "[电话1]，对吗",
    )


def test_pieces_without_a_question_are_a_number_together() -> None:
    assert redact("一三八。", "嗯。", "零零一三。", "八零零零。").texts == (
        "[号码1]。",
        "嗯。",
        "[号码2]。",
        "[号码3]。",
    )
    assert redact("五九。", "嗯。", "三九。").texts == ("五九。", "嗯。", "三九。")


def test_the_answer_names_the_kind() -> None:
    assert redact("您的工号多少？", "八零三一。").texts[1] == "[工号1]。"
    assert redact("报一下身份证号码", "一一零一零一一九零零零一零一零零一五").texts[1] == "[身份证1]"


@pytest.mark.parametrize(
    "answer",
    [
        "199活动我不参加",
        "有个一三九的套餐",
        "三九九套餐",
        "每月199元",
        "都说了300次了",
        "我要交费199",
        "密码错误3次",
        "我是2019年办的",
        "那我打10086吧",
        "版本是10.15.7",
        "1,234,567 points",
    ],
)
def test_what_is_no_answer_stays(answer: str) -> None:
    assert redact("请您提供一下服务密码。", answer).texts[1] == answer


def test_a_question_is_answered_soon_or_not_at_all() -> None:
    between = ["您稍等。", "好。", "我在查。", "嗯。", "还在查。"]
    assert redact("验证码是多少？", *between, "三九九。").texts[-1] == "三九九。"


def test_everyday_words_ask_for_nothing() -> None:
    turns = ("您好，您这个号码办理过套餐。", "三九九那个吗？", "对，手机也能用。", "两九九有没有")
    assert redact(*turns).texts == turns


def test_a_number_known_from_one_place_goes_everywhere() -> None:
    turns = redact("验证码三七二一零五", *["嗯。"] * 8, "您说的37 21 05不对，三七二一零五才对").texts
    assert turns[-1].endswith("[号码1]才对")


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "redacted"),
    [
        ("我叫王建国，想查话费", "我叫[姓名1]，想查话费"),
        ("机主是欧阳明珠", "机主是[姓名1]"),
        ("户主：李四", "户主：[姓名1]"),
        ("联系人张三丰电话没换", "联系人[姓名1]电话没换"),
        ("收件人的名字是诸葛明", "收件人的名字是[姓名1]"),
        ("姓名是陳小紅。", "姓名是[姓名1]。"),
        ("我叫买买提·阿不都拉", "我叫[姓名1]"),
        ("我叫小芳，外地的", "我叫[姓名1]，外地的"),
        ("我叫，呃王建国", "我叫，呃[姓名1]"),
        ("我老公叫李雷，在外地", "我老公叫[姓名1]，在外地"),
        ("您好，我是客服小王，请讲", "您好，我是客服[姓名1]，请讲"),
        ("请问您是刘德明先生本人吗？", "请问您是[姓名1]先生本人吗？"),
        ("请问是张晓明吗？", "请问是[姓名1]吗？"),
        ("是的，我是刘德明。", "是的，我是[姓名1]。"),
        ("我是客服李娜，很高兴为您服务", "我是客服[姓名1]，很高兴为您服务"),
        ("我是星河通信的王芳，给您回电", "我是星河通信的[姓名1]，给您回电"),
        ("免贵姓陈", "免贵姓[姓1]"),
        ("我姓欧阳，欧阳女士就是我", "我姓[姓1]，[姓1]女士就是我"),
        ("My name is John Smith.", "My name is [姓名1]."),
        ("this is Anna Lee calling about a bill", "this is [姓名1] calling about a bill"),
        ("my name is john smith and i have a question", "my name is [姓名1] and i have a question"),
    ],
)
def test_names_after_a_cue(said: str, redacted: str) -> None:
    assert one(said) == redacted


def test_later_mentions_are_the_same_person() -> None:
    said = ("我叫王建国。", "王先生您好，是王建国本人吗？", "建国先生，李先生也在", "王经理，建国路不远")
    assert redact(*said).texts == (
        "我叫[姓名1]。",
        "[姓1]先生您好，是[姓名1]本人吗？",
        "[名1]先生，李先生也在",
        "[姓1]经理，建国路不远",
    )


def test_a_person_without_a_surname_leaves_no_other_word_changed() -> None:
    assert redact("我叫小芳，", "小姐您好，小哥不在", "小芳在").texts[1:] == ("小姐您好，小哥不在", "[姓名1]在")


def test_later_mentions_in_english() -> None:
    said = ("My name is John Smith.", "Thank you Mr Smith. John, is Johnson your colleague?")
    assert redact(*said).texts[1] == "Thank you Mr [姓1]. [名1], is Johnson your colleague?"


def test_the_next_word_is_no_part_of_a_name_known_from_elsewhere() -> None:
    said = ("我叫王芳麻烦你查一下", "王芳女士您好")
    assert redact(*said).texts == ("我叫[姓名1]麻烦你查一下", "[姓名1]女士您好")


def test_a_turn_that_only_answers_for_the_name() -> None:
    said = ("请问您贵姓？", "姓陈。", "陈女士，您的全名是？", "嗯，陈小红。", "好的，陈小红女士。")
    assert redact(*said).texts == (
        "请问您贵姓？",
        "姓[姓1]。",
        "[姓1]女士，您的全名是？",
        "嗯，[姓名1]。",
        "好的，[姓名1]女士。",
    )
    assert redact("怎么称呼您？", "方便的，您说。").texts[1] == "方便的，您说。"


@pytest.mark.parametrize(
    "said",
    [
        "谢谢王先生，方便李女士接电话吗",
        "我是高级会员，我是江苏人，我是白金卡用户，我是老客户，",
        "我叫什么你管得着吗，我叫外卖了",
        "机主是安全的，机主马上来，户主同意的",
        "我马上办，任何方案都行，余额方面您放心，高兴为您服务",
        "您是方便的话，我就是方便，",
        "老百姓都知道，同姓的很多",
        "我想叫何时能好的人来",
        "This is customer service speaking, my name is on the account",
        "I am calling about my bill",
    ],
)
def test_words_that_look_like_names_stay(said: str) -> None:
    assert one(said) == said


# ── Addresses, plates, mail ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "redacted"),
    [
        ("我住在浙江省杭州市西湖区文三路三百九十八号，五栋二单元五零一", "我住在[地址1]"),
        ("地址是翠苑小区3栋2单元501室，对", "地址是[地址1]，对"),
        ("寄到上海市浦东新区世纪大道100号环球大厦12楼1203室", "寄到[地址1]"),
        ("翠苑四区十二幢三单元四零二室", "[地址1]"),
        ("送到文三路398号就行", "送到[地址1]就行"),
        ("他住十一号楼二单元", "他住[地址1]"),
        ("家住翠苑小区的", "家住[地址1]的"),
    ],
)
def test_addresses(said: str, redacted: str) -> None:
    assert one(said) == redacted


def test_an_address_in_answers() -> None:
    said = ("请问安装地址是哪里？", "翠苑小区。", "几号楼呢？", "十二幢。")
    assert redact(*said).texts == ("请问安装地址是哪里？", "[地址1]。", "几号楼呢？", "[地址2]。")


@pytest.mark.parametrize(
    "said",
    [
        "你知道这个小区的线路吗，市区都没信号",
        "朝阳区营业厅三号窗口",
        "坐地铁三号线，一号之前到",
        "我在杭州市的时候办的",
        "两室一厅，三楼，五号楼那边",
        "这个渠道一号就关了，公路边上",
        "你把地址发我一下，住在哪里都行",
        "十一月三号到五号，一号二号都可以",
    ],
)
def test_words_that_look_like_addresses_stay(said: str) -> None:
    assert one(said) == said


@pytest.mark.parametrize(
    "plate", ["京A12345", "粤B·D1234F", "沪a一二三四五", "浙A D12345", "苏Ａ8Ｂ３２１", "粵B12345"]
)
def test_plates(plate: str) -> None:
    assert one(f"车牌是{plate}，停在外面") == "车牌是[车牌1]，停在外面"


@pytest.mark.parametrize("said", ["新iPhone15多少钱", "新VIP客户和新APP下载", "川菜A套餐12345份", "贵ADSL也能用"])
def test_words_that_look_like_plates_stay(said: str) -> None:
    assert one(said) == said


@pytest.mark.parametrize(
    "mail",
    ["zhang.san@example.com", "zhangsan＠example.com", "三七二一零五艾特example点com", "a dot b at example dot com"],
)
def test_mail(mail: str) -> None:
    assert one(f"邮箱是 {mail}，谢谢") == "邮箱是 [邮箱1]，谢谢"


# ── What is nobody's ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "said",
    [
        "五十九元一个月，3000块，12个月，一百二十三万四千五百六十七块",
        "5G畅享套餐199元每月30GB流量，1000分钟通话，每月1号生效，24个月",
        "2026年11月1号下午三点半，二零二六年十一月，2026-11-01 09:30:00到2026-12-01",
        "三次，打了一二十个电话，说了一万次，第三千二百一十五条",
        "百分之八十，99.95%，三点一四一五九二六，0.1234567",
        "版本2.3.1和10.15.7，地址192.168.100.101",
        "一共一百九十九，幺九九的也行，二九九、三九九，四九九，五九九",
        "199、299、399元，1000，2000，3000，4000",
        "总共12345678元，1,234,567 points，10000000",
        "您的账户余额1500，卡号里扣了300块，手机号每月100兆",
        "号码参加199活动，电话打了123次，密码错误3次，等300秒",
        "今天是20261105，2023 2024 2025都有",
        "I paid 1500 dollars for 12 months, twice, at 9 am",
        "选项 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
        "一五一十地说，三三两两，不三不四，九九八十一",
        "",
        "  \n ",
    ],
)
def test_amounts_times_counts_and_plans_stay(said: str) -> None:
    assert one(said) == said


# ── Placeholders and the way back ───────────────────────────────────────────────────────────────────────────────────


def test_the_same_value_has_the_same_placeholder_throughout() -> None:
    said = ("我的号码13800138000", "一三八零零一三八零零零对吗，还有13900139000", "幺三八 零零幺三 八零零零")
    assert redact(*said).texts == ("我的号码[电话1]", "[电话1]对吗，还有[电话2]", "[电话1]")


def test_restore_gives_the_first_wording_and_that_of_the_turn_when_asked() -> None:
    redaction = redact("我的号码138-0013-8000", "一三八零零一三八零零零对吗")
    assert redaction.restore("说了[电话1]") == "说了138-0013-8000"
    assert redaction.restore("[电话1]对吗", turn=1) == "一三八零零一三八零零零对吗"
    assert redaction.restore("[电话1]对吗", turn=7) == "138-0013-8000对吗"


@pytest.mark.parametrize("written", ["【电话1】", "［电话1］", "(电话1)", "（电话１）", "〔电话1〕", "[ 电话 1 ]"])
def test_restore_survives_other_brackets(written: str) -> None:
    assert redact("号码13800138000").restore(f"客户说{written}。") == "客户说13800138000。"


def test_restore_leaves_what_it_does_not_know() -> None:
    assert redact("号码13800138000").restore("[电话2] [姓名1] [电话] [1]") == "[电话2] [姓名1] [电话] [1]"


def test_a_source_that_holds_placeholders_is_not_confused() -> None:
    redaction = redact("稿子里写着[电话1]和（姓名1）", "我叫王芳，13800138000")
    assert redaction.texts == ("稿子里写着[电话1]和（姓名1）", "我叫[姓名2]，[电话2]")
    assert redaction.restore("[电话1] [电话2] (姓名1)") == "[电话1] 13800138000 (姓名1)"


def test_a_number_inside_a_forged_placeholder_goes_all_the_same() -> None:
    assert "13800138000" not in one("[电话13800138000]")


def test_what_was_taken_out_reaches_no_log() -> None:
    redaction = redact("我叫王建国，13800138000")
    assert "建国" not in repr(redaction)
    assert "138" not in repr(redaction)


def test_turns_keep_their_places_and_their_line_feeds() -> None:
    said = ("", "第一行\n13800138000\n", "", "好")
    redaction = redact(*said)
    assert redaction.texts == ("", "第一行\n[电话1]\n", "", "好")
    assert redact().texts == ()


def test_a_number_does_not_reach_over_turns() -> None:
    assert redact("共138", "0013", "8000元").texts[2] == "8000元"


def test_the_slow_libraries_are_loaded_only_for_the_calls_that_need_them() -> None:
    program = """
import sys
from callgrade.adapters.redaction import RuleRedactor
RuleRedactor().redact(["我的号码是13800138000，套餐59元", "工号八零三一"])
assert not any(name.split(".")[0] in ("stdnum", "phonenumbers") for name in sys.modules)
RuleRedactor().redact(["110101190001010014", "+44 20 7946 0958"])
assert "stdnum.cn.ric" in sys.modules and "phonenumbers" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
