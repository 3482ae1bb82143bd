"""Names of persons, where a label or a title says that it is one, and a surname begins it."""

import re
from collections.abc import Iterator

from duban_contracts.masking.view import Cut

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾萧肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
    "汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜"
    "倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕"
    "屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇"
    "桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴"
    "盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危"
)
_COMPOUND = (
    "欧阳|上官|司马|诸葛|司徒|东方|独孤|南宫|夏侯|皇甫|尉迟|公孙|慕容|"
    "令狐|宇文|长孙|端木|轩辕|呼延|闻人|澹台|申屠|太史|钟离|淳于"
)
_LABELS = (
    "姓名|联系人|当事人|申请人|投诉人|举报人|反映人|来电人|诉求人|信访人|上访人|报案人|报修人|求助人|委托人|代理人|经办人|户主|本人|"
    "村民|居民|市民|群众|老人|患者|学生|家属|业主|租客|房东|收款人|户名|我叫|名叫"
)
_TITLES = "先生|女士|小姐|大爷|大妈|大娘|阿姨|奶奶"
LABELS_AND_TITLES = f"{_LABELS}|{_TITLES}"
"""One of them is in every text in which `find_names` finds a name."""
_LABELLED_NAME = re.compile(
    rf"(?:{_LABELS})"
    r"(?P<colon> ?[:为是] ?)?(?P<name>[\u3400-\u9fff]{2,}(?:\.[\u3400-\u9fff]{1,10})*)"
)
_NAMES_AFTER_NO_COLON = ("姓名", "联系人", "我叫", "名叫", "当事人", "户名")
_VERBS = (
    "反映|来电|来访|来信|称|说|电话|手机|联系|投诉|举报|表示|住|系|在|要求|请求|认为|希望|咨询|求助|身份|家|的|及|与|和|等|是|因|于|已|"
    "户|地址|年龄|性别|男|女|先生|女士|同志|小姐"
)
_NOT_A_NAME = re.compile(
    r"[某不无匿]|.*(?:村|镇|组|委|会|站|所|局|办|部|科|室|院|校|厂|店|公司|中心|负责|主任|书记|本人|家属|代表|同上|不详|匿名|保密|满意)$"
)
_TITLED = re.compile(rf"([\u3400-\u9fff]{{1,4}})(?={_TITLES})")
_NOT_WITH_GIVEN = frozenset("于和从向都应时方常何项来那平全连成计明安关单相初原门强满位国区")
_DAYS = frozenset("一二三四五六日末")


def find_names(text: str) -> Iterator[Cut]:
    for found in _LABELLED_NAME.finditer(text):
        label = text[found.start() : found.start("colon") if found["colon"] else found.start("name")]
        length = _name_length(found["name"], firmly=found["colon"] is not None)
        if length and (found["colon"] or label in _NAMES_AFTER_NO_COLON):
            yield found.start("name"), found.start("name") + length, _somebody(length)
    for found in _TITLED.finditer(text):
        length = _length_before_title(found[1])
        if length:
            yield found.end() - length, found.end(), _somebody(length)


def _somebody(length: int) -> str:
    return "某某" if length > 1 else "某"


def _name_length(run: str, *, firmly: bool) -> int:
    """How many signs of what follows a label are the name; 0: it is none."""
    if "." in run and firmly:
        return len(run)
    run = run.partition(".")[0]
    said = re.search(f"(?<=..)(?:{_VERBS})", run[:6])
    name = run[: said.start()] if said else run
    surname = 2 if re.match(_COMPOUND, name) else 1 if name[0] in _SURNAMES else 0
    if not surname or _NOT_A_NAME.match(name):
        return 0
    if len(name) <= surname + 2:
        return len(name)
    return surname + 2 if firmly else 0


def _length_before_title(before: str) -> int:
    for length in (4, 3, 2, 1):
        name = before[-length:]
        if len(name) < length:
            continue
        if length > 1 and re.match(_COMPOUND, name) and length <= 4:
            return length
        if length == 4 or name[0] not in _SURNAMES:
            continue
        if length > 1 and (name[0] in _NOT_WITH_GIVEN or (name[0] == "周" and name[1] in _DAYS)):
            continue
        return length
    return 0
