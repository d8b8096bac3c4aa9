"""What personal data looks like in a call, and what only looks like it. Data, no code; each table says why it exists.

Patterns are written in simplified characters; `variants.both` widens them to traditional ones. The cue tables are
alternatives, each of which begins with a character or a class, so that a scan can look for those first (`scanner.py`).
"""
# fmt: off


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PHONE, ID_CARD, BANK_CARD, NUMBER = "电话", "身份证", "银行卡", "号码"
STAFF, EMAIL, ADDRESS, PLATE = "工号", "邮箱", "地址", "车牌"
FULL_NAME, SURNAME, GIVEN_NAME = "姓名", "姓", "名"
KINDS = (PHONE, ID_CARD, BANK_CARD, EMAIL, ADDRESS, PLATE, FULL_NAME, NUMBER, STAFF, SURNAME, GIVEN_NAME)
NUMBER_KINDS = (PHONE, ID_CARD, BANK_CARD, STAFF, NUMBER)
NAME_KINDS = (FULL_NAME, SURNAME, GIVEN_NAME)

# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SPOKEN_DIGITS = {
    # 幺 is how 1 is read out in telephone numbers; 洞, 拐, 勾 are 0, 7, 9 as soldiers, guards and railwaymen say them
    **dict.fromkeys("零〇○洞", "0"), **dict.fromkeys("一幺壹", "1"), **dict.fromkeys("二两兩贰貳", "2"),
    **dict.fromkeys("三叁參", "3"), **dict.fromkeys("四肆", "4"), **dict.fromkeys("五伍", "5"),
    **dict.fromkeys("六陆陸", "6"), **dict.fromkeys("七柒拐", "7"), **dict.fromkeys("八捌", "8"),
    **dict.fromkeys("九玖勾", "9"),
}

MISHEARD_ONE = "要腰妖邀"
"""How recognisers write 幺 at the head of a mobile number: 要三八零零… Only there: 要 is one of the commonest words."""

# What stands between the digits of one number: typed grouping, the commas and full stops a punctuation model puts
# into dictation, hesitations, 杠 for a spoken hyphen, and the zero-width characters that would hide a number.
TYPED_JOINTS = " \t\u3000\u00a0\u200b\u200c\u200d\ufeff‐‑‒–—―－\\-_.．·•杠"
SPOKEN_JOINTS = "，,、。…()（）呃嗯啊额哦唔"

ENGLISH_DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}

CARD_PREFIX = r"62|60|65|4|5[1-5]|35|34|37|9[4-6]"
"""Issuer ranges of payment cards seen in China: UnionPay 62, local debit 94 to 96, the international brands. Luhn
alone passes every tenth list of prices."""

HOTLINE = r"11[0249]|12[02]|100\d\d|12[23]\d\d|12580|12590|9[56]\d{3,4}"
"""Public short numbers: police, carriers, consumer lines, banks. They belong to nobody's person."""

UNIT = (
    # what makes the digits before it a sum, a time, a count or a size, whatever stands in front of them
    r"[ ]?(?:元|块|毛|角|分(?!机)|钱|[十拾百佰千仟万萬亿億]|年|月|日|天|次|遍|岁|秒|小时|折|倍|米|公里|斤|多(?!少)|左右"
    r"|以上|以下|以内|兆|%|％|‰|℃|(?:[GMKT]B?(?:bps)?|Mb|yuan|dollars?|bucks|euros?|cents|percent|minutes?|hours?|days?|months?"
    r"|years?|times|points|people|am|pm)(?![A-Za-z]))"
)
SOFT_UNIT = (
    # …and what does so unless a cue stands right in front: 三九九套餐 is a plan, 尾号3721套餐 is somebody's
    r"[ ]?(?:点|号(?![码卡机线])|个|位|度|时|级|档|张|件|台|页|套餐|流量|积分)"
)
BEFORE_AMOUNT = "十百千万亿点第.．$￥¥€£共"
"""A character that makes what follows an amount, a decimal or an ordinal."""

# Cues: kind, level, pattern. Level 2 (a secret or part of one) makes the next turns an answer without being asked for;
# level 1 does when the turn asks; level 0 is an everyday word: its number must follow at once.
NUMBER_CUES: tuple[tuple[str, int, str], ...] = (
    (STAFF, 1, r"工号|员工号|员工编号|坐席号"),
    (ID_CARD, 2, r"身份证(?:件)?(?:号码?)?|证件号码?"),
    (BANK_CARD, 2, r"银行卡号码?|储蓄卡号码?|信用卡号码?|借记卡号码?|卡号码?|银行账号"),
    (NUMBER, 2, r"验证码|校验码|动态码|动态口令|随机码|确认码|密码|口令|尾号|尾数"
                r"|[后末前头][一二两三四五六七八1-8]位(?:数字?|号码?)?|最后[几三四六346]个?(?:位|数字)?"),
    (NUMBER, 1, r"订单(?:号码?|编号)|工单(?:号码?|编号)|单号|流水号|保单号|合同(?:号|编号)|[账帐]号|户号|会员号|会员卡"
                r"|客户(?:编号|号)|社保号|护照(?:号码?)?|准考证号|车架号|发票号|微信号?|邀请码|取件码|提货码|学号"),
    (PHONE, 1, r"手机号码?|电话号码|电话号|联系电话|联系方式"),
    (PHONE, 0, r"电话(?![费卡])|手机(?![费卡])|座机|固话|号码|分机"),
    (BANK_CARD, 0, r"银行卡|信用卡|储蓄卡|借记卡"),
    (NUMBER, 0, r"[账帐]户|编号|单据"),
)
ENGLISH_NUMBER_CUES: tuple[tuple[str, int, str], ...] = (
    (STAFF, 1, r"(?:agent|employee) (?:id|number)|badge number"),
    (ID_CARD, 2, r"id (?:card )?number"),
    (BANK_CARD, 2, r"(?:card|bank account) number"),
    (NUMBER, 2, r"(?:last|first) (?:three|four|six|3|4|6)(?: digits)?|(?:verification|security) code|pass ?code"
                r"|one[- ]time code|cvv|pin|password|card ending(?: in| with)?"),
    (NUMBER, 1, r"(?:order|account|member(?:ship)?|policy|tracking|reference|case|passport|routing) (?:number|no\.?|id)"
                r"|social security(?: number)?|ssn|qq"),
    (PHONE, 1, r"(?:phone|mobile|cell|telephone|contact)(?: phone)? number"),
    (PHONE, 0, r"call (?:me|him|her|us) (?:back )?(?:at|on)"),
)

ASKING = (
    # turns a cue into a question whose answer the next turns hold
    r"报|说一?下|说说|提供|请问|多少|什么|念|告诉|告知|核对|核实|验证|确认|输入|发给|发我|发到|记一?下|记录|几|哪|留|给我"
    r"|麻烦|[?？]|(?i:what|tell|confirm|provide|verify|give|read|may i|can i|could)"
)
BREAKS_CUE = "扣充缴交付花欠费钱价每共满送减返余"
"""Between cue and number, these make the number a sum of money: 卡号里扣了300."""
CONNECTS = "号码是为：:，,、。 ？?就的我您你他她这那呢啊嗯呃哦额吧吗对好请报说记一下个填写留存后四六位末尾叫打到改成换"
"""All that may stand between an everyday cue (电话, 号码) and its number. 号码参加199活动 is no number of anybody."""

# The word 工号 stays, what follows it goes: the judge must not know who the agent is. 十百千: 工号八千零三十一
STAFF_WORDS = r"[工席编]号"
STAFF_DIGITS = r"[是为：:，, ]{0,3}(?P<staff>[A-Za-z]{0,4}-?[\dDIGITS十百千]{1,12})(?!位)"
STAFF_ROLES = r"号?(?:客服|坐席|座席|话务员|客户代表|接线员|服务专员|为您服务)"
"""…and so does the number before these: 8031号客服, 八零三一为您服务."""

CODE_CUES = (
    # what may hold letters: order numbers, passwords, WeChat ids
    r"单号|订单(?:号码?|编号)|[账帐]号|密码|口令|微信号?|会员号|保单号|合同号|编号|护照(?:号码?)?|邀请码|验证码|取件码|车架号"
)
ENGLISH_CODE_CUES = (
    r"(?:order|account|tracking|reference|case|policy|passport) (?:number|no\.?|id)|password|pass ?code|user ?name|qq"
)
CODE = r"(?:是|为|叫|号|[:：= ]|(?i: is)){0,4}(?P<code>[A-Za-z0-9][A-Za-z0-9_\-]{3,31})(?![A-Za-z0-9])"

# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SURNAMES = (
    # common ones; those that are everyday function words too (和 向 时 全 单 查 成) are left out
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆"
    "郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂焦柳邢岳齐梅莫庄辛管祝左涂谷祁"
    "舒耿牟卜路詹关苗凌费纪靳童欧甄项游裴卫屈鲍覃霍翁隋甘景柏宁柯阮桂闵柴冉肖闫付冼佘岑蒲"
)
TRADITIONAL_SURNAMES = (
    "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭許鄧呂蘇盧蔣賈葉閻鍾鐘範譚鄒陸邱顧龍萬錢湯賀賴龔龐蘭莊嚴蘆韋畢聶齊關歐項衛鮑閔寧閆"
)
COMPOUND_SURNAMES = (
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "皇甫", "尉迟", "尉遲", "公孙", "公孫",
    "令狐", "慕容", "司徒", "夏侯", "端木", "长孙", "長孫", "宇文", "轩辕", "南宫", "南宮", "独孤", "獨孤", "百里",
    "呼延", "闻人", "聞人", "澹台", "申屠", "淳于", "鲜于", "赫连", "公冶", "太史", "钟离", "拓跋", "西门", "完颜",
)
COMMONEST_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙朱胡郭何罗郑梁谢宋唐许韩冯邓曹彭曾萧董潘袁蔡蒋余杜魏薛贾丁張劉陳楊趙黃吳孫羅鄭謝許韓馮鄧蕭"
)
"""Before 先生 these are the surname itself (谢谢王先生), hardly ever the end of a given name."""

NOT_IN_GIVEN = (
    "我你您他她它们的了吗嘛呢吧啊呀哦嗯呃是在这那哪个和与跟就也都不没要想说问打给把被先本上下今昨号码们這個們嗎為請"
)
"""No given name begins with or holds these: they are the next word of the sentence."""
NOT_THIRD = NOT_IN_GIVEN + "查办还请找住帮因麻电手身联从去叫姓对可会能需用"
"""…and these, rare in names, more often begin the next word after a name of two characters (王芳电话…)."""

NOT_NAMES = _words(
    # everyday words that begin with a surname. A candidate whose first two characters are one is no name
    """
    方便 方法 方案 方面 方式 方向 高兴 高级 高清 高速 高中 高峰 高铁 马上 马路 万一 万分 万能
    万元 万达 任何 任务 任意 任职 金额 金卡 金牌 金融 金币 黄金 黄色 黄牛 白天 白色 白金 白领
    程序 程度 余额 余下 于是 于此 许多 许可 何时 何必 何况 何种 江苏 江西 江北 江南 安全 安装
    安排 安徽 安心 安静 安卓 石头 石油 夏天 夏季 温度 温馨 康复 路由 路上 路线 路口 关于 关系
    关机 关闭 关注 关键 管理 管家 管道 左右 左边 文件 文字 文化 文本 武汉 武器 严重 严格 毛病
    牛奶 钱包 钱款 钱数 汤圆 雷雨 龙头 季度 章程 施工 安慰 谢谢 谢您 祝您 祝福 祝愿 费用 费率
    纪录 游戏 游客 欧洲 欧元 项目 宁波 宁夏 宁愿 甘肃 海南 杜绝 石家 贺州 洪水 兰州 苏州 杭州
    郑州 温州 林区 车辆 童装 凌晨 卫生 卫星 唐山 梅州 贵州 莫名 庄家 齐全 申请 申诉 申报 焦急
    尤其 毕竟 毕业 柳州 时候 钟头 钟点 高新 万家 万州 成都 管用 管它 安康 宋体 周一 周二 周三
    周四 周五 周六 周日 周末 周边 周围 周期 周年 曾经 叶子 孔子 左侧 高端 高额 高价 高温 金属
    白条 文明 文档 程式 江浙 湖南 于今 叫车 外卖 快递 滴滴 什么 小姐 先生 女士 客服 救护 代驾
    人工 师傅 老板 服务 景区 景点 颜色 季节 纪念 黎明 雷达 舒服 谷歌 欧盟 游泳
    """
)
NOT_GIVEN = _words("明天 明年 明白 一下 一点 一个 先生 女士 小姐 经理 老师 太太")

TITLES = (
    "先生", "女士", "小姐", "太太", "夫人", "同志", "经理", "經理", "老师", "老師", "老板", "老闆", "师傅", "師傅",
    "阿姨", "叔叔", "大哥", "大姐", "总", "總", "哥", "姐",
)
FORMAL_TITLES = ("先生", "女士", "小姐", "太太")

_HOLDERS = "机主|户主|联系人|收件人|收货人|开户人|持卡人|投保人|被保人|受益人|登记人|办理人"
NAME_CUES = (
    # after these a surname and what follows it is a name
    "叫(?<=[我您你他她，,名]叫)做?|叫做|名字[是叫为：:]|全名[是叫：:]|本名[是叫]|姓名[是叫为：:，, ]{0,2}|"
    + "|".join(holder + "(?:的?(?:姓名|名字))?[是叫为：:，, ]{0,3}" for holder in _HOLDERS.split("|"))
)
RARE_NAME_CUES = "叫(?<=我叫)做?|名字[是叫]|姓名[是:：]"
"""After these so is what begins with no known surname, if the clause ends there: 我叫小芳，…"""
BARE_CUES = (
    # after these only if the clause ends there: 我是王芳，… but not 我是高级会员
    r"是(?<=[我您你他她]是)|是(?<=[我您你他她]就是)|是(?<=请问是)|是(?<=我是)[^，。,.\n\d]{1,12}的"
    r"|叫|本人|找(?:一下|的是)?|客服(?:人员)?|专员|经理|顾问|代表|坐席|座席|话务员|工程师"
)
"""The cues look back from their rarer character: 我 and 您 begin too many words to start from them."""
NAME_ENDS = r"(?=[，。！？、；,.!?; ]|\n|\Z|吗|么|本人|吧|啊|呀|先生|女士|小姐|为您|很高兴|竭诚|工号)"
BEFORE_SURNAME = "我贵貴您你他她人主户戶也是叫，,。嗯啊哦\n"
"""Before 姓 these make what follows it a surname: 免贵姓陈; 百姓 and 同姓 do not."""
ASKS_NAME = (
    # the next turns may be nothing but the name
    "姓(?<=[贵尊]姓)|称呼|名字|名(?<=[姓全]名)|名(?<=什么名)|哪位(?<=是哪位)|[主人][是叫]?(?:谁|哪位|什么)"
)
ENGLISH_ASKS_NAME = "your (?:full |last |first )?name|am i speaking"

ENGLISH_NAME_CUES = (
    r"(?i:my name is|my name's|the name is|name's|i am called|i'm called|speaking (?:to|with)|account holder is"
    r"|cardholder(?: name)? is|name on the (?:account|card) is)"
)
ENGLISH_NOT_NAMES = _words(
    """
    a an the and i you he she it my your our this that from with for calling speaking here on in at to of not sure
    fine good sorry happy going just still also very okay ok yes no what who customer service support technical sales
    team manager agent mr mrs ms miss dr someone anyone monday tuesday wednesday thursday friday saturday sunday china
    """
)

# ── Places, plates, mail ────────────────────────────────────────────────────────────────────────────────────────────

PLATE_PROVINCES = "京津沪滬渝冀豫云雲辽遼黑湘皖鲁魯新苏蘇浙赣贛鄂桂甘晋晉蒙陕陝吉闽閩贵貴粤粵青藏川宁寧琼瓊使领"

# Units of an address, coarse to fine. `area`: province to county; `part`: town, village, estate; `road`; `house`: what
# follows a number. An address needs two units, one of them finer than a county.
AREA_UNITS = "自治区|自治州|自治县|特别行政区|新区|省|市|州|盟|地区|区|县|旗"
PART_UNITS = (
    "街道|社区|小区|花园|花苑|公寓|大厦|广场|家园|新村|新城|校区|工业园|产业园|开发区|镇|乡|村|屯|苑|庄|府|弄堂|园"
)
ROAD_UNITS = "大道|大街|胡同|公路|路|街|巷|弄|道"
HOUSE_UNITS = "号院|号楼|号弄|号(?![线窗码卡机球文键客坐座之前以])|弄|栋|幢|座|单元|楼|层|室|户|房"
NOT_IN_PLACE = "我你您他她它的了是在这哪们不没有就也把被给跟到去要吗呢吧啊住址寄送为位于于至往发说"
NOT_PLACES = _words(
    # words that end like a unit of an address and are none
    """
    城市 市区 小区 地区 社区 超市 门市 上市 线路 网路 知道 渠道 通道 频道 味道 街道 公路 一路 马路 走路 道路 电路 农村
    城区 园区 景区 片区 专区 花园 公园 校园 校区 大厦 广场 公寓 新村 全市 本市 我市 省市 全省 节省 客户 用户 账户 开户
    商户 厨房 住房 政府 管道 难道 报道 轨道 思路 短路 断路 半路 一区 乡镇 大街 逛街 家园 务区
    """
)
ADDRESS_CUES = (
    "地址", "住址", "住在", "家住", "家在", "寄到", "寄往", "送到", "装在", "裝在", "位于", "位於", "户籍", "戶籍",
)
ADDRESS_LINK = "[是为在于：:，, 呢]{0,3}"
ASKS_ADDRESS = ("地址", "住址", "住哪", "住在哪", "哪个小区", "哪個小區", "送到哪", "寄到哪", "门牌", "門牌")

# spoken mail: 张三一二三艾特某某点com
MAIL_AT, MAIL_DOT = r"@|＠|艾特|(?i: at )", r"\.|．|。|点|(?i: dot )"
