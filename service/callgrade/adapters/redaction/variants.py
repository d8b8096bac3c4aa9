"""Patterns written in simplified characters, widened to traditional ones."""

# only characters that the patterns of tables.py use; the converter of the grounding would cost its import at start-up
_TRADITIONAL = dict(
    zip(
        "号码员编证验电话机户单账帐银订联系动态随确认运递护邮发会员车微请问报说么给记录麻烦储蓄贵称称姓货开资哪张门牌户籍装装储专线顾"
        "问经话务称证号库样节录华万亿两块点时个级档张积",
        "號碼員編證驗電話機戶單賬帳銀訂聯係動態隨確認運遞護郵發會員車微請問報說麼給記錄麻煩儲蓄貴稱稱姓貨開資哪張門牌戶籍裝裝儲專線顧"
        "問經話務稱證號庫樣節錄華萬億兩塊點時個級檔張積",
        strict=True,
    )
)


def both(pattern: str) -> str:
    """`手机[号码]` → `手[机機][号號码碼]`: each character with a traditional form matches either."""
    out: list[str] = []
    inside = False
    for i, char in enumerate(pattern):
        escaped = i > 0 and pattern[i - 1] == "\\"
        if char in "[]" and not escaped:
            inside = char == "["
        other = _TRADITIONAL.get(char, char)
        if other == char:
            out.append(char)
        else:
            out.append(char + other if inside else f"[{char}{other}]")
    return "".join(out)
