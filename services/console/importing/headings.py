"""Headings and words that registers use, for the proposal of a map: small letters, no blanks or marks.

From the paper ledger of the plan, 12345 exports, and the open data of cities; the first name known wins.
"""

from collections.abc import Iterator, Mapping

_FIELDS = {
    "id": (
        "编号 工单编号 工单号 诉求编号 受理编号 受理单号 流水号 单号 台账编号 案件编号 事项编号 序号 id "
        "no number caseid ticketid srnumber servicerequestid caseenquiryid uniquekey"
    ),
    "submitted_at": (
        "受理时间 受理日期 登记时间 登记日期 来电时间 来访时间 反映时间 反映日期 提交时间 接收时间 "
        "接件时间 创建时间 诉求时间 收件时间 派单时间 时间 日期 submittedat createddate createdat "
        "opendt openeddate opened created received date"
    ),
    "title": (
        "标题 诉求标题 工单标题 主题 事项 事项名称 问题 问题事项 诉求事项 反映事项 反映问题 反映的问题 "
        "信访事项 办理事项 诉求 title subject summary"
    ),
    "text": ("诉求内容 内容 详细内容 来电内容 反映内容 问题描述 描述 text description details"),
    "category": (
        "诉求类别 类别 分类 问题类别 问题分类 诉求分类 事项类别 问题类型 诉求类型 类型 category "
        "requesttype type complainttype casetitle"
    ),
    "station": (
        "承办单位 责任站所 责任单位 办理单位 主办单位 承办部门 责任部门 办理部门 承办站所 处理单位 "
        "station owner department agency responsible"
    ),
    "status": (
        "状态 办理状态 工单状态 处理状态 办结状态 是否办结 销号 是否销号 办理情况 status casestatus state"
    ),
    "due_at": (
        "截止日期 截止时间 办理期限 办结期限 办理时限 完成时限 限办日期 限办时间 到期时间 到期日期 "
        "要求完成时间 要求办结时间 应办结时间 due dueat dueon duedate targetdt servicedate deadline"
    ),
    "closed_at": (
        "办结时间 办结日期 完成时间 完成日期 结案时间 回复时间 回复日期 答复时间 答复日期 销号时间 "
        "销号日期 反馈时间 closedat closeddate closeddt closed resolvedat replied replytime"
    ),
    "channel": ("来源 渠道 诉求来源 受理渠道 工单来源 来源渠道 受理方式 channel source requestsource"),
    "village": ("村居 村 所属村 所属村居 村社区 社区 所在村 村名 village district"),
    "urgent": ("是否紧急 紧急 加急 urgent"),
    "petitioner": ("反映人 诉求人 来电人 来访人 信访人 申请人 当事人 群众姓名 姓名 petitioner caller name"),
    "phone": ("联系电话 联系方式 电话 手机 手机号 来电号码 phone telephone mobile"),
    "answer": ("办理结果 处理结果 办理意见 答复内容 回复内容 办结意见 answer resolution closurereason"),
}
FIELDS: Mapping[str, tuple[str, ...]] = {name: tuple(words.split()) for name, words in _FIELDS.items()}

_STATUSES = {
    "{closed: true, outcome: solved}": (
        "已办结 办结 已完成 完成 已结案 结案 已销号 销号 已解决 已回复 是 closed done solved resolved "
        "completed"
    ),
    "{closed: false}": (
        "办理中 在办 处理中 未办结 待办 待办理 待处理 已受理 已派单 未销号 未完成 进行中 否 open "
        "pending inprogress new assigned"
    ),
    "{closed: true, outcome: withdrawn}": ("已撤销 撤销 撤回 已撤回 已作废 cancelled canceled withdrawn"),
    "{closed: true, outcome: not_ours}": ("不予受理 不受理 已退回 退回 转出 referredout"),
    "{closed: true, outcome: explained}": ("已解释 解释说明"),
}
_CHANNELS = {
    "window": ("窗口 大厅 便民窗口 现场 window walkin"),
    "hotline": ("热线 12345 12345热线 电话 来电 hotline call phone constituentcall"),
    "web": ("网站 网上 网络 web selfservice"),
    "app": ("微信 小程序 app mobileapp citizensconnectapp"),
    "visit": ("来访 走访 入户 visit"),
    "letter": ("来信 信件 邮件 letter email"),
    "patrol": ("巡查 网格 网格员 patrol cityworkerapp driverselfreport"),
    "other": ("其他 other"),
}


def _by_word(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for meaning, words in table.items():
        yield from ((word, meaning) for word in words.split())


STATUSES: Mapping[str, str] = dict(_by_word(_STATUSES))
"""Their word, and what it means as a map writes it."""
CHANNELS: Mapping[str, str] = dict(_by_word(_CHANNELS))

MONTH_FIRST = (
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%y %H:%M",
    "%m/%d/%y",
)
"""Formats that another order of day and month may read too."""
FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "chinese",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    *MONTH_FIRST,
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "excel",
)
"""Tried in this order; `chinese` reads 2024/5/3 and 2024.5.3 too."""
