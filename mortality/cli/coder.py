"""`tkyt deaths coder`: the queue, choices, learnt words, double coding. Thin doors to the functions of `mortality.coder`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


@click.group("coder", help=label("cli.deaths.coder"))
def coder() -> None:
    """The coder's work."""


@coder.command("queue", help=label("cli.deaths.coder.queue"))
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help=label("cli.deaths.coder.limit")
)
@click.option("--sample", default="", help=label("cli.deaths.coder.sample_id"))
@home_option
@json_option
def queue(limit: int, sample: str, home: Path, as_json: bool) -> None:
    from mortality.coder.queue import load_queue

    found = load_queue(home, sample=sample)
    rows = found.items.head(limit)
    counts = {"left": len(found.items), "deaths": found.deaths, "coded": found.coded, "without": found.without_words}
    if as_json:
        print_json({**counts, "items": rows.astype(object).where(rows.notna(), None).to_dict("records")})
        return
    click.echo(label("coder.queue.head", None, **{name: format_number(value) for name, value in counts.items()}))
    if len(rows):
        print_table(
            [label(f"coder.column.{name}") for name in ("words", "deaths", "code", "why")],
            [
                [str(one.written)[:60], format_number(one.deaths), str(one.code), _why(str(one.stakes))]
                for one in rows.itertuples()
            ],
            numbers=(1,),
        )


def _why(stakes: str) -> str:
    return "; ".join(label(f"coder.stake.{one}") for one in stakes.split())


@coder.command("choose", help=label("cli.deaths.coder.choose"))
@click.argument("text")
@click.option("--code", default="", help=label("cli.deaths.coder.code"))
@click.option("--uncodable", is_flag=True, help=label("cli.deaths.coder.uncodable"))
@click.option("--ask", is_flag=True, help=label("cli.deaths.coder.ask"))
@click.option("--take-back", is_flag=True, help=label("cli.deaths.coder.take_back"))
@click.option("--sex", type=click.Choice(["male", "female"]), default=None, help=label("cli.deaths.coder.sex"))
@click.option("--under-28-days", is_flag=True, help=label("cli.deaths.coder.under_28_days"))
@click.option("--maternal", is_flag=True, help=label("cli.deaths.coder.maternal"))
@click.option("--record", default="", help=label("cli.deaths.coder.record"))
@click.option("--sample", default="", help=label("cli.deaths.coder.sample_id"))
@click.option("--note", default="", help=label("cli.deaths.coder.note"))
@home_option
@json_option
def choose(
    text: str, code: str, uncodable: bool, ask: bool, take_back: bool, sex: str | None, under_28_days: bool, maternal: bool, record: str,
    sample: str, note: str, home: Path, as_json: bool,
) -> None:  # fmt: skip
    from dataclasses import asdict

    from mortality.coder.choices import Choice, record_choice
    from mortality.coder.keys import UNDER_28_DAYS
    from mortality.coding import suggest_codes

    answers = {"code": bool(code), "uncodable": uncodable, "ask": ask, "withdrawn": take_back}
    given = [name for name, yes in answers.items() if yes]
    if len(given) != 1:
        raise InputError("error.coder_one_answer", found=len(given))
    stored = record_choice(
        home,
        Choice(
            text=text, state=given[0], code=code, death_id=record, sex=sex or "", age_band=UNDER_28_DAYS if under_28_days else "",
            maternal=maternal, suggested=tuple(suggest_codes(text, sex=sex)), sample_id=sample, note=note,
        ),
    )  # fmt: skip
    if as_json:
        print_json(asdict(stored))
        return
    words = {"code": "coder.said.code", "uncodable": "coder.said.uncodable", "ask": "coder.said.ask"}
    key = words.get(stored.state, "coder.said.undone")
    click.echo(
        label(key, None, **({"text": text} | ({"code": stored.code, "deaths": "1"} if stored.state == "code" else {})))
    )


@coder.command("learn", help=label("cli.deaths.coder.learn"))
@click.option("--accept", default="", help=label("cli.deaths.coder.accept"))
@click.option("--refuse", default="", help=label("cli.deaths.coder.refuse"))
@click.option("--withdraw", default="", help=label("cli.deaths.coder.withdraw"))
@click.option("--reason", default="", help=label("cli.deaths.coder.reason"))
@click.option("--state", default="", help=label("cli.deaths.coder.state"))
@click.option("--as-of", default="", help=label("cli.deaths.coder.as_of"))
@home_option
@json_option
def learn(
    accept: str, refuse: str, withdraw: str, reason: str, state: str, as_of: str, home: Path, as_json: bool
) -> None:
    from mortality.coder.entries import entries, review_entry

    done = [
        review_entry(home, entry, verdict, reason)
        for verdict, entry in (("accept", accept), ("refuse", refuse), ("withdraw", withdraw))
        if entry
    ]
    rows = entries(home, as_of=as_of, state=state)
    if as_json:
        print_json({"version": rows.attrs.get("version", ""), "reviewed": done, "entries": rows.to_dict("records")})
        return
    for one in done:
        words = {
            "expression": one["expression"],
            "code": one["code"],
            "state": label(f"coder.verdict.{one['verdict']}"),
        }
        click.echo(label("coder.said.reviewed", None, **words))
    click.echo(label("coder.learnt_version", None, version=rows.attrs.get("version") or "–"))
    if len(rows):
        print_table(
            [label(f"coder.column.{name}") for name in ("entry", "words", "code", "state", "confirmed")],
            [
                [one.entry_id, one.expression[:50], one.code, label(f"coder.state.{one.state}"), _confirmed(one)]
                for one in rows.itertuples()
            ],
        )


def _confirmed(one: Any) -> str:
    counts = {name: format_number(getattr(one, name)) for name in ("coders", "against", "deaths")}
    return label("coder.confirmed", None, **counts)


@coder.command("export", help=label("cli.deaths.coder.export"))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.coder.output"))
@home_option
@json_option
def export(output: Path, home: Path, as_json: bool) -> None:
    from mortality.coder.entries import export_entries

    made = export_entries(home, output)
    if as_json:
        print_json(made)
        return
    counts = {name: format_number(made[name]) for name in ("entries", "rare")}
    click.echo(label("coder.exported", None, **counts, file=made["file"], version=made["version"] or "–"))


@coder.command("import", help=label("cli.deaths.coder.import"))
@click.argument("source", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--accept", is_flag=True, help=label("cli.deaths.coder.import_accept"))
@click.option("--reason", default="", help=label("cli.deaths.coder.reason"))
@home_option
@json_option
def import_(source: Path, accept: bool, reason: str, home: Path, as_json: bool) -> int:
    from mortality.coder.entries import import_entries

    taken = import_entries(home, source, accept=accept, reason=reason)
    if as_json:
        print_json(taken)
    else:
        counts = {name: format_number(taken[name]) for name in ("taken", "accepted", "contradicting", "known")}
        click.echo(label("coder.imported", None, **counts))
        for one in taken["problems"]:
            click.echo(
                label("coder.import.problem", None, row=one["row"], value=one["value"], reason=label(one["reason"]))
            )
    return 1 if taken["problems"] else 0


@coder.command("sample", help=label("cli.deaths.coder.sample"))
@click.option("--size", type=int, default=200, show_default=True, help=label("cli.deaths.coder.size"))
@click.option("--seed", default="1", show_default=True, help=label("cli.deaths.coder.seed"))
@home_option
@json_option
def sample(size: int, seed: str, home: Path, as_json: bool) -> None:
    from mortality.coder.sample import draw_sample

    made = draw_sample(home, size=size, seed=seed)
    if as_json:
        print_json(made)
    else:
        click.echo(label("coder.sampled", None, sample=made["sample_id"], size=format_number(made["size"])))


@coder.command("kappa", help=label("cli.deaths.coder.kappa"))
@click.argument("sample", required=False, default="")
@click.option("--coders", nargs=2, default=None, help=label("cli.deaths.coder.coders"))
@home_option
@json_option
def kappa(sample: str, coders: tuple[str, str] | None, home: Path, as_json: bool) -> None:
    from mortality.coder.agreement import agreement

    if not sample:
        _list_samples(home, as_json)
        return
    found = agreement(home, sample, coders)
    rows = found.disagreements("list_1")
    if as_json:
        print_json({"sample": sample, "coders": found.coders, "kappas": [one.as_dict() for one in found.kappas],
                    "weighted_agreed": found.weighted_agreed, "disagreements": rows.to_dict("records")})  # fmt: skip
        return
    from mortality.coder.words import kappa_sentence

    click.echo(label("coder.between", None, first=found.coders[0], second=found.coders[1]))
    for one in found.kappas:
        click.echo(kappa_sentence(one))
    click.echo(label("coder.weighted", None, share=format_number(100 * found.weighted_agreed, 1)))
    if len(rows):
        print_table(
            [*found.coders, label("coder.column.records")],
            [[str(one.first), str(one.second), format_number(one.records)] for one in rows.itertuples()],
            numbers=(2,),
        )


def _list_samples(home: Path, as_json: bool) -> None:
    from mortality.coder.sample import samples

    rows = samples(home)
    if as_json:
        print_json(rows.to_dict("records"))
        return
    if rows.empty:
        click.echo(label("coder.sample.none"))
        return
    print_table(
        [label(f"coder.column.{name}") for name in ("sample", "records", "drawn", "coded")],
        [[one.sample_id, format_number(one.size), one.drawn_at[:16], ", ".join(f"{who} {n}" for who, n in sorted(one.coded.items()))] for one in rows.itertuples()],
        numbers=(1,),
    )  # fmt: skip


@coder.command("share", help=label("cli.deaths.coder.share"))
@home_option
@json_option
def share(home: Path, as_json: bool) -> None:
    from mortality.coder.agreement import accepted_first
    from mortality.coder.choices import choices
    from mortality.coder.words import rule_words, share_words

    rows = accepted_first(choices(home))
    if as_json:
        print_json(rows.to_dict("records"))
        return
    print_table(
        [label(f"coder.column.{name}") for name in ("rule", "choices", "first", "share")],
        [
            [rule_words(str(one.rule)), format_number(one.choices), format_number(one.first), share_words(one)]
            for one in rows.itertuples()
        ],
        numbers=(1, 2),
    )
