"""The school's roll from a file: the whole file or nothing, every fault by its line."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from app.house import House
from app.project import ProjectorProcess
from app.roll_file import COLUMNS, RollRefused, read_roll
from app.roll_import import Imported, import_roll, year_by_age
from app.upn import check_letter, why_not_a_upn
from domain.pupil import Corrected, Enrolled, MovedUp, Pupil
from projections.positions import wait_for
from projections.roll import Roll

TODAY = date(2026, 11, 20)
HEADER = ",".join(COLUMNS)


def upn(serial: int) -> str:
    rest = f"999432120{serial:03d}"
    return check_letter(rest) + rest


def row(
    serial: int | None = 1,
    given: str = "Maya",
    family: str = "Okafor",
    known: str = "",
    born: str = "2014-10-03",
    year: str = "7",
    form: str = "7H",
) -> str:
    number = upn(serial) if serial is not None else ""
    return ",".join([number, given, family, known, born, year, form])


def sheet(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return end.join([header, *rows, ""]).encode()


def errors_of(content: bytes) -> list[str]:
    with pytest.raises(RollRefused) as refused:
        read_roll(content, TODAY)
    return refused.value.errors


@pytest.fixture
def rooms(house: House) -> Iterator[House]:
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        yield house


def bring(house: House, *rows: str, content: bytes | None = None) -> Imported:
    found = read_roll(content or sheet(*rows), TODAY)

    def wait() -> None:
        assert wait_for(house.pool, house.recorder.max_notification_id() or 0, ["roll"], timeout=10)

    done = import_roll(found, house.casework, house.pool, Roll(house.pool), wait)
    wait()
    return done


class TestReading:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_any_line_ends_with_or_without_a_byte_order_mark(self, end: str, mark: bytes) -> None:
        rows = read_roll(mark + sheet(row(1), row(2, "Zofia"), end=end), TODAY)
        assert [(r.line, r.given_name) for r in rows] == [(2, "Maya"), (3, "Zofia")]

    def test_names_as_people_have_them(self) -> None:
        [found] = read_roll(sheet(row(1, "Siân", "O'Neill", '"Sian, the younger"', "2016-02-29")), TODAY)
        assert (found.given_name, found.family_name) == ("Siân", "O'Neill")
        assert (found.known_as, found.born_on) == ("Sian, the younger", date(2016, 2, 29))

    def test_an_accent_typed_in_two_ways_is_one_name(self) -> None:
        one, two = read_roll(sheet(row(1, "Siân"), row(2, "Sia\u0302n")), TODAY)
        assert one.given_name == two.given_name

    def test_columns_may_stand_in_another_order_and_a_last_line_end_may_be_missing(self) -> None:
        header = ",".join(reversed(COLUMNS))
        cells = ",".join(reversed(row(1).split(",")))
        [found] = read_roll(f"{header}\n{cells}".encode(), TODAY)
        assert found.given_name == "Maya"

    def test_every_fault_is_listed_with_its_line(self) -> None:
        wrong_letter = "A" if upn(5)[0] != "A" else "B"
        faults = errors_of(
            sheet(
                row(1),
                row(1, "Zofia"),
                row(5).replace(upn(5), wrong_letter + upn(5)[1:]),
                row(3, born="2015-02-29"),
                row(4, year="14"),
                row(6, given=" "),
                row(7, born="2027-01-01"),
                row(8, born="03/10/2014"),
                row(9) + ",extra",
                row(10, year="seven"),
                "not a upn" + row(None),
            )
        )
        assert faults == [
            "line 3: the same UPN as on line 2",
            "line 4: the UPN's check letter doesn't fit its digits",
            "line 5: born_on must be a date like 2013-02-28",
            "line 6: year_group must be a number from 0 (Reception) to 13",
            "line 7: given_name is empty",
            "line 8: born_on is in the future",
            "line 9: born_on must be a date like 2013-02-28",
            "line 10: 8 columns instead of 7",
            "line 11: year_group must be a number from 0 (Reception) to 13",
            "line 12: the UPN must be a letter and twelve digits (a temporary one ends in a letter)",
        ]

    def test_a_name_over_two_lines_still_leaves_the_right_line_numbers(self) -> None:
        faults = errors_of(sheet(row(1, '"Maya\nRose"'), row(2, year="14")))
        assert faults[0].startswith("line 2: given_name holds characters")
        assert faults[1].startswith("line 4: year_group")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "line 1: the file is empty"),
            (sheet(), "line 1: no pupils follow"),
            (sheet(row(1), header=HEADER.replace(",tutor_group", "")), "line 1: missing column: tutor_group"),
            (sheet(row(1) + ",x", header=HEADER + ",house"), "line 1: unknown or repeated columns"),
            (sheet(row(1) + ",x", header=HEADER + ",upn"), "line 1: unknown or repeated columns"),
            (sheet(row(1)) + row(2, "Si\xe2n").encode("latin-1"), "line 3: this isn't UTF-8"),
            (sheet(row(1)).decode().encode("utf-16"), "line 1: this isn't UTF-8"),
            (sheet(row(1, "Ma\0ya")), "line 2: given_name holds characters that can't be stored"),
            (sheet(row(1), row(2, '"Zofia')), "line 3: the quotation marks don't pair up"),
            (sheet(row(1, "M" * 201)), "line 2: given_name is longer than 200 characters"),
        ],
    )
    def test_a_file_that_cannot_be_used_says_why(self, content: bytes, expected: str) -> None:
        assert errors_of(content)[0].startswith(expected)

    def test_no_message_names_a_pupil(self) -> None:
        text = " ".join(errors_of(sheet(row(1, "Zebedee"), row(1, "Zebedee", "Quux", born="x"))))
        assert not any(word in text for word in ("Zebedee", "Quux", upn(1)))


class TestUpn:
    @pytest.mark.parametrize(
        "number", ["B123456789012", "A12345678901", "B820200113001", "a820200113001", "H80120000100I", ""]
    )
    def test_wrong_ones_are_told(self, number: str) -> None:
        assert why_not_a_upn(number)

    def test_the_check_letter_weighs_each_place(self) -> None:
        # By hand: 9·2 + 9·3 + 9·4 + 4·5 + 3·6 + 2·7 + 1·8 + 2·9 + 1·13 = 172 = 7·23 + 11: M.
        assert check_letter("999432120001") == "M"
        assert why_not_a_upn("M999432120001") is None
        assert why_not_a_upn("A123456789012") is None

    def test_a_temporary_one_ends_in_a_letter_that_counts(self) -> None:
        rest = "99943212000B"
        assert why_not_a_upn(check_letter(rest) + rest) is None
        assert check_letter(rest) == check_letter("999432120001")

    def test_one_wrong_digit_is_always_noticed(self) -> None:
        right = upn(1)
        for place in range(1, 13):
            for digit in set("0123456789") - {right[place]}:
                assert why_not_a_upn(right[:place] + digit + right[place + 1 :])


@pytest.mark.parametrize(
    ("born", "year"),
    [(date(2015, 8, 31), 7), (date(2015, 9, 1), 6), (date(2014, 9, 1), 7), (date(2010, 9, 1), 11)],
)
def test_the_year_group_changes_on_the_first_of_september(born: date, year: int) -> None:
    assert year_by_age(born, TODAY) == year


class TestImporting:
    def test_the_same_file_again_records_nothing(self, rooms: House) -> None:
        file = (row(1), row(2, "Zofia", "Nowak"), row(None, "Jun", "Li"), row(None, "Jun", "Li"))
        first = bring(rooms, *file)
        again = bring(rooms, *file)
        assert (first.enrolled, first.unchanged) == (4, 0)
        assert (again.enrolled, again.unchanged, again.position) == (0, 4, None)
        assert rooms.recorder.max_notification_id() == 4

    def test_another_year_and_form_is_a_move_and_another_name_a_correction(self, rooms: House) -> None:
        bring(rooms, row(1), row(2, "Zofia", "Nowak", "Zosia"))
        done = bring(rooms, row(1, year="8", form="8H"), row(2, "Zofia", "Nowak-Reid", "", born="2014-10-04"))
        assert (done.moved_up, done.corrected, done.enrolled) == (1, 1, 0)
        roll = Roll(rooms.pool)
        found = roll.with_upns([upn(1), upn(2)])
        maya, zofia = found[upn(1)], found[upn(2)]
        assert (maya.year_group, maya.tutor_group) == (8, "8H")
        assert (zofia.family_name, zofia.known_as) == ("Nowak-Reid", None)
        assert zofia.born_on == date(2014, 10, 4)
        kinds = [type(told.fact) for told in rooms.casework.stream(Pupil, maya.pupil_id)]
        assert kinds == [Enrolled, MovedUp]
        kinds = [type(told.fact) for told in rooms.casework.stream(Pupil, zofia.pupil_id)]
        assert kinds == [Enrolled, Corrected, Corrected, Corrected]
        assert bring(rooms, row(2, "Zofia", "Nowak-Reid", "", born="2014-10-04")).unchanged == 1

    def test_without_a_upn_nothing_is_merged(self, rooms: House) -> None:
        bring(rooms, row(None, "Jun", "Li"))
        done = bring(rooms, row(None, "Jun", "Li", form="7W"), row(4, "Jun", "Li"))
        assert done.enrolled == 2
        assert done.warnings == [
            "line 2: no UPN, so recorded as another pupil of the same name and birth date"
        ]
        assert len(Roll(rooms.pool).pupils()) == 3

    def test_an_age_out_of_step_is_said_and_not_refused(self, rooms: House) -> None:
        done = bring(rooms, row(1, born="2011-01-01"))
        assert done.enrolled == 1
        assert done.warnings == ["line 2: the age is out of step with the year group"]

    def test_two_imports_at_once_enrol_everybody_once(self, rooms: House) -> None:
        file = [row(serial, f"Pupil{serial}") for serial in range(1, 40)]
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda _: bring(rooms, *file), range(4)))
        assert sum(d.enrolled for d in done) == 39
        assert len(Roll(rooms.pool).pupils(limit=100)) == 39

    def test_it_is_all_recorded_in_one_moment_or_not_at_all(self, rooms: House) -> None:
        bring(rooms, *(row(serial) for serial in range(1, 20)))
        with rooms.pool.connection() as connection:
            transactions = connection.execute(
                "SELECT count(DISTINCT xmin::text) FROM record.events"
            ).fetchone()
        assert transactions == (1,)
