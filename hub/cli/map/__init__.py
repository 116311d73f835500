"""``lynchpin map``: mappings, from a working copy to what is in force and back."""

from __future__ import annotations

import typer

from hub.cli.map import attempt, cover, examine, look, plan, publish, replay

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)
app.command("list")(look.list_mappings)
app.command("show")(look.show)
app.command("check")(examine.check)
app.command("test")(examine.run_examples)
app.command("try")(attempt.try_)
app.command("cover")(cover.cover_traffic)
app.command("diff")(look.diff)
app.command("log")(look.log)
app.command("plan")(plan.plan)
app.command("publish")(publish.publish)
app.command("rollback")(publish.rollback)
app.command("replay")(replay.replay)
