"""One wrong date never moves the clock; a shop that pauses, or sells rarely, is believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from feature_repo.batch.as_of import last_day_known, refuse_future
from feature_repo.batch.pipeline import build_offline_tables
from feature_repo.commands import features, ingest, materialize
from feature_repo.files.purchase_dates import BelievedDays, believed_days
from infra.base.errors import UserError
from infra.base.settings import Settings
from tests.feature_repo.files.shop_files import TRANSACTION_HEADER, Shop

START = date(2020, 8, 1)
TODAY = date(2026, 11, 27)


def day(number: int) -> date:
    return START + timedelta(days=number)


def believed(sold: dict[date, int], customers: int = 1) -> BelievedDays:
    return believed_days(sorted(sold.items()), lambda first, last: customers)


EVERY_DAY = {day(number): 10 for number in range(40)}
RARELY = {day(30 * number): 1 for number in range(12)}


@pytest.mark.parametrize(
    ("sold", "odd", "is_believed"),
    [
        (EVERY_DAY, day(40), True),
        (EVERY_DAY, day(46), True),
        (EVERY_DAY, day(47), False),
        (EVERY_DAY, day(-7), True),
        (EVERY_DAY, day(-8), False),
        (EVERY_DAY, date(2025, 1, 1), False),
        ({day(0): 50}, date(2021, 9, 20), False),
        (RARELY, day(390), True),
        (RARELY, day(530), True),
        (RARELY, date(2025, 1, 1), False),
        ({day(0): 1, day(100): 2}, date(2021, 9, 20), True),  # too few to say what is usual
    ],
)
def test_a_day_is_believed_by_its_nearness_to_the_bulk(sold: dict[date, int], odd: date, is_believed: bool) -> None:
    days = believed({**sold, odd: 1})
    assert (days.first <= odd <= days.last) is is_believed
    assert days.first <= min(sold) <= max(sold) <= days.last


def test_a_pause_is_believed_when_three_customers_end_it() -> None:
    sold = {**EVERY_DAY, day(200): 2, day(203): 1}
    assert believed(sold, customers=2).last == day(39)
    assert believed(sold, customers=3).last == day(203)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Forty days, ten purchases each, by two customers."""
    shop = Shop(tmp_path)
    rows = [f"{day(number)},c{row % 2},0000000011,0.05,2" for number in range(40) for row in range(10)]
    shop.write("transactions_train", TRANSACTION_HEADER, *rows)
    return shop


def with_date(shop: Shop, text: str, place: int = 17) -> None:
    """Write ``text`` over one date."""
    path = shop.folder / "transactions_train.csv"
    lines = path.read_text().splitlines()
    lines[place] = ",".join([text, *lines[place].split(",")[1:]])
    path.write_text("\n".join(lines) + "\n")


IMPOSSIBLE = ["2099-01-01", "2026-11-29", "0001-01-01", "1970-01-01", "1999-12-31"]
UNLIKELY = ["2025-01-01", "2020-10-01", "2010-08-05"]


@pytest.mark.parametrize("text", IMPOSSIBLE + UNLIKELY)
def test_a_date_that_cannot_be_is_refused_or_set_aside(shop: Shop, tmp_path: Path, text: str) -> None:
    with_date(shop, text)
    near = f"near the other purchases, which are from {day(0)} to {day(39)}"
    expected = near if text in UNLIKELY else "from 2000-01-02 to 2026-11-28, tomorrow"
    with pytest.raises(UserError) as error:
        shop.ingest(today=TODAY)
    assert str(error.value).startswith(
        f"transactions_train.csv, row 17, column 't_dat' holds '{text}'; expected a day {expected}"
    )
    assert "--reject-file FILE" in str(error.value)
    files = shop.ingest(today=TODAY, reject_file=tmp_path / "bad.csv")
    assert (files.first_day, files.last_day, files.purchases) == (day(0), day(39), 399)
    assert f"{text},c0,0000000011" in (tmp_path / "bad.csv").read_text()


@pytest.mark.parametrize("odd", [date(2099, 1, 1), date(1, 1, 1), date(2025, 1, 1)])
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")])
def test_parquet_is_judged_alike(shop: Shop, odd: date, kind: pa.DataType) -> None:
    rows = [line.split(",") for line in (shop.folder / "transactions_train.csv").read_text().splitlines()[1:]]
    days = [date.fromisoformat(row[0]) for row in rows]
    days[16] = odd
    (shop.folder / "transactions_train.csv").unlink()
    pq.write_table(
        pa.table(
            {
                "t_dat": pa.array(days, pa.date32()).cast(pa.timestamp("us")).cast(kind),
                "customer_id": [row[1] for row in rows],
                "article_id": [row[2] for row in rows],
                "price": [float(row[3]) for row in rows],
                "sales_channel_id": [int(row[4]) for row in rows],
            }
        ),
        shop.folder / "transactions_train.parquet",
    )
    with pytest.raises(UserError, match=rf"parquet, row 17, column 't_dat' holds '{odd}'; expected a day"):
        shop.ingest(today=TODAY)


MIDNIGHT = "2020-08-02T00:30:00+02:00"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        (MIDNIGHT, "UTC", day(0)),
        (MIDNIGHT, "Europe/Stockholm", day(1)),
        ("2020-08-01T22:30:00Z", "Europe/Stockholm", day(1)),
        ("2020-08-01 22:30+00", "Europe/Stockholm", day(1)),
        ("2020-08-02 00:30:00.125 +0200", "Europe/Stockholm", day(1)),
    ],
)
def test_instants_fall_on_the_days_of_a_chosen_zone(shop: Shop, text: str, zone: str, expected: date) -> None:
    with_date(shop, text, place=1)
    files = shop.ingest(time_zone=zone)
    purchases = shop.table("purchases")
    assert sum(row["day"] == expected for row in purchases) == 10 + (expected != day(0))
    assert files.time_zone == zone
    assert any(zone in line and "--time-zone" in line for line in files.lines(None))


def test_an_instant_in_parquet_falls_on_the_day_of_the_chosen_zone(shop: Shop) -> None:
    (shop.folder / "transactions_train.csv").unlink()
    half_past_midnight = datetime(2020, 9, 19, 22, 30, tzinfo=UTC)
    pq.write_table(
        pa.table(
            {
                "t_dat": pa.array([half_past_midnight], pa.timestamp("us", "Europe/Stockholm")),
                "customer_id": ["c1"],
                "article_id": ["0000000011"],
                "price": [0.05],
                "sales_channel_id": [2],
            }
        ),
        shop.folder / "transactions_train.parquet",
    )
    assert shop.ingest().last_day == date(2020, 9, 19)
    files = shop.ingest(time_zone="Europe/Stockholm")
    assert (files.last_day, files.time_zone) == (date(2020, 9, 20), "Europe/Stockholm")
    with pytest.raises(UserError, match="no time zone 'Europe/Nowhere'; give UTC"):
        shop.ingest(time_zone="Europe/Nowhere")


def test_a_date_with_a_time_but_no_zone_is_its_day(shop: Shop) -> None:
    with_date(shop, "2020-08-01 23:59:59", place=1)
    files = shop.ingest(time_zone="Asia/Tokyo")
    assert (files.first_day, files.time_zone) == (day(0), None)
    with_date(shop, "2020-08-01 25:00", place=1)
    with pytest.raises(UserError, match="holds '2020-08-01 25:00'; expected a date such as"):
        shop.ingest()


def test_as_of_names_a_day_at_which_something_was_known(shop: Shop, tmp_path: Path) -> None:
    shop.ingest()
    log = tmp_path / "events"
    assert last_day_known(shop.tables, log, day(40)) == day(39)
    assert last_day_known(shop.tables, log, day(1)) == day(0)
    with pytest.raises(UserError, match=rf"before --as-of {day(0)}; give a day from {day(1)} to {day(40)}"):
        last_day_known(shop.tables, log, day(0))
    streamed = log / "transactions" / f"day={day(50)}"
    streamed.mkdir(parents=True)
    with duckdb.connect() as connection:
        at = f"TIMESTAMPTZ '{day(50)} 12:00:00+00' AS occurred_at"
        connection.execute(f"COPY (SELECT {at}) TO '{streamed / '0-0-1.parquet'}' (FORMAT parquet)")
    assert last_day_known(shop.tables, log, day(60)) == day(50)


def test_as_of_is_not_still_to_come() -> None:
    refuse_future(TODAY + timedelta(days=2), TODAY)
    with pytest.raises(UserError, match="--as-of 2099-01-01 is still to come; give 2026-11-29 or an earlier day"):
        refuse_future(date(2099, 1, 1), TODAY)


def test_a_day_before_all_data_leaves_the_features_as_they_are(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_VAR", str(tmp_path))
    settings = Settings.from_environment()
    run = CliRunner().invoke
    assert run(ingest, [str(shop.folder)]).exit_code == 0
    build_offline_tables(settings, day(40))
    written = {path: path.read_bytes() for path in settings.offline_dir.glob("*.parquet")}
    for command, text in [(features, "2019-01-01"), (features, "2099-01-01"), (materialize, "2099-01-01")]:
        result = run(command, ["--as-of", text])
        assert isinstance(result.exception, UserError)
        assert f"--as-of {text}" in str(result.exception)
    result = run(materialize, ["--as-of", "2019-01-01"])
    assert f"holds nothing before --as-of 2019-01-01; give {day(1)} or a later day" in str(result.exception)
    assert written == {path: path.read_bytes() for path in settings.offline_dir.glob("*.parquet")}
    late = run(features, ["--as-of", str(day(100))])
    assert f"the newest purchase is of {day(39)}: there is no activity" in late.output
