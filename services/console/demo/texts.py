"""What people write in the demo: natural Chinese, invented throughout, and without names."""

from duban_contracts.charter import Ground
from duban_contracts.intake import Channel

W, H, B, A, V, L, P = (
    Channel.WINDOW,
    Channel.HOTLINE,
    Channel.WEB,
    Channel.APP,
    Channel.VISIT,
    Channel.LETTER,
    Channel.PATROL,
)

TITLES: dict[str, tuple[str, ...]] = {
    "garbage": (
        "{village}垃圾桶三天没有清运，已经满溢",
        "{village}小学门口垃圾堆放未清走",
        "{village}河边垃圾池无人清理，气味很大",
        "{village}垃圾转运点早上没有车来拉",
    ),
    "littering": (
        "{village}村口有人乱倒建筑垃圾",
        "{village}水沟里被倒入养殖粪污",
        "{village}空地长期堆放废旧家具",
    ),
    "rural_road": (
        "{village}主干道路面坑洼，雨天积水",
        "{village}桥头路面塌陷，农用车难以通行",
        "{village}水泥路开裂请求大修",
    ),
    "household_road": (
        "{village}通户路还有最后一段没有硬化",
        "{village}入户道路路基被雨水冲毁",
    ),
    "public_toilet": (
        "{village}公厕断水一周无人维修",
        "{village}公厕门锁损坏、照明不亮",
    ),
    "sewage": (
        "{village}污水管网堵塞，污水外溢",
        "{village}污水处理站设备停运",
        "{village}化粪池改造后没有接入管网",
    ),
    "fitness_equipment": (
        "{village}广场健身器材螺丝松动，有安全隐患",
        "{village}漫步机断裂，老人不敢使用",
        "{village}篮球架倾斜请求维修",
    ),
    "reading_room": (
        "{village}农家书屋长期不开门",
        "建议{village}农家书屋补充农业技术类图书",
    ),
    "public_lectures": (
        "建议在{village}举办防电信诈骗百姓大讲堂",
        "希望{village}百姓大讲堂改在晚上开讲",
    ),
    "policy_explanation": (
        "{village}村民咨询耕地地力保护补贴标准",
        "咨询农机购置补贴如何申请",
        "{village}村民询问高龄补贴发放时间",
    ),
    "village_broadcast": (
        "{village}村村响广播没有声音",
        "{village}村村响广播音量忽大忽小",
    ),
    "policy_disclosure": (
        "{village}低保评议结果未见公示",
        "{village}惠农补贴发放清册没有张榜公布",
    ),
    "farm_subsidy": (
        "{village}种粮补贴未到账",
        "{village}稻谷补贴面积登记有误",
        "申请{village}油菜种植补贴",
    ),
    "farming_advice": (
        "{village}水稻叶片发黄求助农技指导",
        "咨询{village}柑橘黄龙病防治办法",
        "{village}养殖户咨询禽流感疫苗接种",
    ),
    "minimum_living": (
        "{village}困难家庭申请最低生活保障",
        "{village}独居老人申请低保",
    ),
    "temporary_relief": (
        "{village}火灾受损家庭申请临时救助",
        "{village}重病家庭申请临时救助",
    ),
    "medical_insurance": (
        "咨询新生儿城乡居民医保参保办理",
        "{village}村民咨询医保断缴如何续保",
        "咨询异地就医备案手续",
    ),
    "medical_reimbursement": (
        "{village}村民住院费用报销",
        "申请门诊慢特病费用报销",
    ),
    "window_advice": (
        "咨询个体工商户营业执照办理材料",
        "咨询老年优待证办理",
        "咨询建房审批流程",
        "咨询社保卡补办",
    ),
    "window_attitude": (
        "反映窗口工作人员态度冷淡、不耐烦",
        "反映窗口人员办事时玩手机",
    ),
    "window_efficiency": (
        "办理营业执照变更跑了三趟未办成",
        "窗口排队两小时未叫号",
        "材料交上去十天没有回音",
    ),
    "window_hours": (
        "中午值班时段窗口无人",
        "周六延时服务时间大厅未开门",
    ),
    "conduct": (
        "反映{village}驻村干部上班时间打牌",
        "反映工作人员对来访群众推脱敷衍",
    ),
    "soliciting": ("反映办理证明时被暗示请客",),
}

CHANNELS: dict[str, tuple[Channel, ...]] = {
    "window_advice": (W, W, H),
    "window_attitude": (H, A, B),
    "window_efficiency": (H, A, W),
    "window_hours": (H, A),
    "medical_insurance": (W, H, A),
    "medical_reimbursement": (W, W, V),
    "minimum_living": (W, V),
    "temporary_relief": (W, V),
    "farm_subsidy": (W, H),
    "policy_explanation": (W, H, A),
    "conduct": (L, H),
    "soliciting": (L, H),
}
ANY_CHANNEL = (H, H, H, A, B, V, P)

WORDS = (
    "我是{name}，{title}，请尽快帮忙解决，谢谢。",
    "您好，我叫{name}，家住附近。{title}，反映过一次没有结果。",
    "{title}。联系人{name}，白天都可以打电话。",
)

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN = ("秀英", "建国", "桂兰", "志强", "春花", "海涛", "玉梅", "小军", "丽华", "国平", "晓燕", "文斌")

ON_THE_SPOT = ("当场告知办理流程和所需材料", "当场办结并打印回执", "当场解答，来访群众表示清楚")

ANSWERS: dict[str, tuple[str, ...]] = {
    "jiwei": ("经核查情况属实，已谈话提醒并责令改正", "经核查反映的情况不实，已作说明"),
    "qingjieban": ("已安排车辆清运并增加收运频次", "已清理完毕，并在现场设置提示牌"),
    "xuanchuanxian": ("已到村当面解读政策并发放明白卡", "设备已检修，恢复正常播出"),
    "wenhuazhan": ("已维修更换，经试用正常", "已调整安排并公布开放时间"),
    "xincunban": ("已组织施工队修复", "已列入本月施工计划并完成应急处理"),
    "bianmin": ("已批评教育并向群众致歉", "已补办完毕并电话告知", "已调整值班表并公示"),
    "nongye": ("农技员已到田间指导", "补贴已核对并完成发放"),
    "minzheng": ("已完成入户调查和评议，按程序办结", "救助金已发放"),
    "nongyisuo": ("已办理并告知报销金额", "已完成参保登记"),
}
ANSWER = "已处理完毕并告知群众"
REDONE = "已重新处理，并上门向群众说明"
INSISTED = "按主要领导批示要求，已组织力量集中整改"

NOT_SOLVED = ("现场查看问题仍然存在", "群众反映没有解决", "缺少整改照片等佐证材料")
VERIFIED = "现场核实，问题已解决"

FINDINGS: dict[Ground, tuple[str, ...]] = {
    Ground.LAGGING: ("整改进度滞后于计划节点", "措施至今没有启动"),
    Ground.BELOW_REQUIREMENT: ("整改后仍未达到要求", "台账记录不全，整改效果不明显"),
}

INSPECTED = {True: "随机抽查，制度和台账落实到位", False: "随机抽查发现问题，另行登记"}
RECTIFIED = {True: "复查合格", False: "复查仍未整改到位"}
CALLED_BACK = {
    "confirmed": "已电话回访，情况属实",
    "unfounded": "已电话回访，系误评，群众表示理解",
    "not_reached": "电话无人接听",
}
ORDER_ANSWERED = "已对照督办事项逐条整改，现将情况报告如下：问题已查明原因，责任到人，整改完成"
APPROVED = "情况属实，同意"
DECLINED = "客观原因所致，已提出整改时限，暂不通报，限期整改"
NO_TRANSFER = "尚未达到移交条件，由分管领导约谈，继续整改"
INSTRUCTION = "责成该站所一周内整改到位，营商办每日调度，结果报我"
RECEIPT = "收到移交材料，编号镇纪受〔{year}〕{number}号"
DECIDERS = {"office": "镇营商办主任", "leader": "镇党委书记"}
