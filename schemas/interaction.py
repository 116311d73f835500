"""An Interaction: a contact between the customer and the retailer that moved no money."""

from __future__ import annotations

from schemas.identifier import Identifier
from schemas.model import Canonical, Code, Id, Text
from schemas.moment import Moment
from schemas.order import Attribution

__all__ = ["Interaction"]


class Interaction(Canonical):
    """A contact that a phone system, mail system, web site or campaign tool tells of.

    Kinds: ``call email chat visit web_visit web_login campaign_sent campaign_opened
    campaign_clicked campaign_answered survey_answer``. Where the source does not say when it was,
    ``occurred_at`` is absent, and all that is known is when the hub received it.
    """

    system: Id
    id: Id
    kind: Code
    direction: Code | None = None
    occurred_at: Moment | None = None
    ended_at: Moment | None = None
    store: Id | None = None
    agent: Id | None = None
    customers: tuple[Identifier, ...] = ()
    orders: tuple[Id, ...] = ()
    campaign: Id | None = None
    subject: Text | None = None
    outcome: Code | None = None
    attribution: Attribution | None = None
