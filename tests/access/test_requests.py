"""What happens to a request before its view is called, and what every answer carries."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask, Response, session
from flask.testing import FlaskClient

from app import create_app
from app.access.policy import allow, allow_anyone, person, rescued_by
from app.access.sessions import COOKIE, give_cookie, take_cookie
from app.door import ASKS_NO_DATABASE
from app.house import House
from app.security import secure
from app.settings import Settings

SECRET = "Purple elephant"


@pytest.fixture
def app(settings: Settings, house: House) -> Flask:
    """The application, with a few views that tests may break."""
    made = create_app(settings, house)

    @allow("coordinator")
    def form() -> str:
        return person().role

    @allow("coordinator")
    @rescued_by(lambda why: (f"kept after {why}", 503))
    def kept() -> str:
        return "recorded"

    @allow_anyone
    def broken() -> str:
        raise ValueError(SECRET)

    @allow_anyone
    def cookie() -> Response:
        response = Response("in")
        give_cookie(response, "token")
        return response

    @allow_anyone
    def no_cookie() -> Response:
        response = Response("out")
        take_cookie(response)
        return response

    made.add_url_rule("/t/form", "t-form", form, methods=["GET", "POST"])
    made.add_url_rule("/t/kept", "t-kept", kept, methods=["POST"])
    made.add_url_rule("/t/broken", "t-broken", broken, methods=["GET", "POST"])
    made.add_url_rule("/api/v1/broken", "t-api-broken", broken)
    made.add_url_rule("/t/cookie", "t-cookie", cookie)
    made.add_url_rule("/t/no-cookie", "t-no-cookie", no_cookie)
    return made


@pytest.fixture
def account(house: House) -> UUID:
    """A coordinator's account."""
    made = uuid4()
    house.accounts.open(made, "coordinator", ["price"], "pw")
    return made


@pytest.fixture
def client(app: Flask, house: House, account: UUID) -> Iterator[FlaskClient]:
    """A browser where the coordinator is signed in."""
    with app.test_client() as browser:
        browser.set_cookie(COOKIE, house.sessions.start(account))
        yield browser


def csrf(house: House, client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    found = house.sessions.person(cookie.value)
    assert found is not None
    return found.csrf


def test_who_is_not_signed_in_goes_to_sign_in_and_comes_back(app: Flask) -> None:
    answer = app.test_client().get("/t/form?state=open")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=%2Ft%2Fform%3Fstate%3Dopen"


def test_a_form_needs_its_sessions_token(house: House, client: FlaskClient, account: UUID) -> None:
    assert client.get("/t/form").get_data(as_text=True) == "coordinator"
    assert client.post("/t/form").status_code == 403
    assert client.post("/t/form", data={"csrf": "guess"}).status_code == 403
    other = house.sessions.person(house.sessions.start(account))
    assert other is not None
    assert client.post("/t/form", data={"csrf": other.csrf}).status_code == 403
    right = csrf(house, client)
    assert client.post("/t/form", data={"csrf": right}).status_code == 200
    from_elsewhere = {"Origin": "https://elsewhere.example"}
    assert client.post("/t/form", data={"csrf": right}, headers=from_elsewhere).status_code == 403
    assert (
        client.post("/t/form", data={"csrf": right}, headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 403
    )
    same = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/t/form", data={"csrf": right}, headers=same).status_code == 200


def test_a_worried_persons_words_are_kept_when_the_form_cannot_be_let_in(
    app: Flask, house: House, client: FlaskClient
) -> None:
    assert app.test_client().post("/t/kept").get_data(as_text=True) == "kept after sign-in"
    assert client.post("/t/kept").get_data(as_text=True) == "kept after form"
    assert client.post("/t/kept", data={"csrf": csrf(house, client)}).get_data(as_text=True) == "recorded"
    outsider = uuid4()
    house.accounts.open(outsider, "admin", [], None)
    client.set_cookie(COOKIE, house.sessions.start(outsider))
    assert client.post("/t/kept").get_data(as_text=True) == "kept after forbidden"


@pytest.mark.parametrize(("column", "ago"), [("seen_at", "61 minutes"), ("created_at", "13 hours")])
def test_a_session_ends_when_nobody_uses_it_and_after_a_long_day(
    house: House, client: FlaskClient, column: str, ago: str
) -> None:
    assert client.get("/t/form").status_code == 200
    with house.pool.connection() as connection:
        connection.execute(f"UPDATE access.sessions SET {column} = {column} - interval '{ago}'")
    assert client.get("/t/form").status_code == 303


def test_a_session_that_was_begun_before_the_clock_was_set_back_is_over(
    house: House, client: FlaskClient
) -> None:
    assert client.get("/t/form").status_code == 200
    with house.pool.connection() as connection:
        connection.execute("UPDATE access.sessions SET seen_at = seen_at + interval '1 day'")
    assert client.get("/t/form").status_code == 303


def test_a_session_in_use_stays(house: House, client: FlaskClient) -> None:
    with house.pool.connection() as connection:
        for _ in range(3):
            connection.execute("UPDATE access.sessions SET seen_at = seen_at - interval '50 minutes'")
            assert client.get("/t/form").status_code == 200


def test_signing_out_ends_the_session_itself(house: House, client: FlaskClient) -> None:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    house.sessions.end(cookie.value)
    assert client.get("/t/form").status_code == 303


def test_a_token_opens_no_page_and_a_cookie_no_api(house: House, client: FlaskClient, account: UUID) -> None:
    assert client.get("/api/v1/me").status_code == 401
    client.delete_cookie(COOKIE)
    token = house.accounts.issue_token(account)
    assert client.get("/t/form", headers={"Authorization": f"Bearer {token}"}).status_code == 303


def test_the_cookie_is_for_the_browser_alone(app: Flask) -> None:
    given = app.test_client().get("/t/cookie").headers["Set-Cookie"]
    assert given.startswith(f"{COOKIE}=token;")
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "Secure" not in given
    app.config["SESSION_COOKIE_SECURE"] = True
    assert "Secure" in app.test_client().get("/t/cookie").headers["Set-Cookie"]
    assert "Max-Age=0" in app.test_client().get("/t/no-cookie").headers["Set-Cookie"]


def test_flask_keeps_nothing_in_a_cookie_of_its_own(app: Flask) -> None:
    with app.test_request_context("/sign-in"), pytest.raises(RuntimeError):
        session["note"] = "kept"
    assert "Set-Cookie" not in app.test_client().get("/sign-in").headers


@pytest.mark.parametrize(
    "path", ["/healthz", "/sign-in", "/nothing", "/api/v1/me", "/api/v1/docs", "/t/broken"]
)
def test_every_answer_keeps_to_itself(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("over_tls", [True, False])
def test_each_header_is_given_once_and_over_tls_a_browser_stays_there(*, over_tls: bool) -> None:
    app = Flask(__name__)
    secure(app, over_tls=over_tls)
    names = [name for name, _ in app.test_client().get("/nothing").headers]
    assert len(names) == len(set(names))
    assert ("Strict-Transport-Security" in names) == over_tls


def test_a_style_sheet_may_be_kept(app: Flask) -> None:
    with app.test_client().get("/static/casebook.css") as answer:
        assert answer.status_code == 200
        assert "no-store" not in answer.headers["Cache-Control"]


def test_a_failure_says_nothing_about_a_person(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    sent = {"words": SECRET}
    page = app.test_client().post(f"/t/broken?name={SECRET}", data=sent)
    problem = app.test_client().get(f"/api/v1/broken?name={SECRET}")
    assert page.status_code == problem.status_code == 500
    logged = capsys.readouterr()
    for text in (page.get_data(as_text=True), problem.get_data(as_text=True), logged.out, logged.err):
        assert "elephant" not in text
        assert "Traceback" not in text
    assert problem.get_json()["reference"] in logged.out + logged.err
    assert "ValueError" in logged.out + logged.err


def test_health_needs_no_database_and_readiness_does(settings: Settings) -> None:
    nowhere = Settings(
        **{**vars(settings), "database_url": "host=127.0.0.1 port=1 dbname=x connect_timeout=1"}
    )
    app = create_app(nowhere)
    assert app.test_client().get("/healthz").status_code == 200
    ready = app.test_client().get("/readyz")
    assert ready.status_code == 503
    assert ready.content_type == "application/problem+json"
    app.extensions["casebook"].house.close()


@pytest.mark.parametrize("path", [*ASKS_NO_DATABASE, "/static/casebook.css", "/static/nothing", "/healthzz"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_has_threads_of_its_own_never_asks_the_house(settings: Settings, path: str, method: str) -> None:
    app = create_app(settings)

    class Closed:
        @property
        def house(self) -> House:
            raise AssertionError("it was asked")

    app.extensions["casebook"] = Closed()
    client = app.test_client()
    client.set_cookie(COOKIE, "a session")
    with client.open(path, method=method) as answer:
        assert answer.status_code in (200, 404, 405)


def test_a_list_that_stopped_leaves_it_ready_but_degraded(app: Flask, house: House) -> None:
    from projections.all_models import MODELS
    from projections.positions import prepare

    with house.pool.connection() as connection:
        prepare(connection, MODELS.values())
        assert app.test_client().get("/readyz").get_json() == {"status": "ok", "stopped": []}
        connection.execute(
            "INSERT INTO views.faults (name, position, error) VALUES ('roll', 3, 'ValueError')"
        )
    ready = app.test_client().get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json() == {"status": "degraded", "stopped": ["roll"]}


def test_a_database_that_was_never_migrated_is_not_ready(settings: Settings, house: House) -> None:
    assert settings.migrate_database_url is not None
    app = create_app(settings, house)
    with psycopg.connect(settings.migrate_database_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE record.migrations DISABLE TRIGGER USER")
        owner.execute("DELETE FROM record.migrations WHERE name LIKE '%access'")
    ready = app.test_client().get("/readyz")
    assert ready.status_code == 503
    assert "casebook migrate" in ready.get_json()["detail"]
