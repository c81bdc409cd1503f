"""The local server answers its own page alone: by token, by name, by origin; and never more than it should."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stereokit.errors import BadInputError, LockedError
from stereokit.serving.answers import number_of, part_of, sent_object
from stereokit.serving.guard import MAX_BODY_BYTES
from stereokit.serving.local_server import LocalServer, served

CONTENT = bytes(range(100))


def refuse(request: Request) -> Response:
    raise BadInputError("kick.wav: is empty")


def number(request: Request) -> Response:
    return JSONResponse(number_of(request.path_params["text"], 3))


async def echo(request: Request) -> Response:
    return JSONResponse(await sent_object(request))


ROUTES = [
    Route("/", lambda request: Response("the page", media_type="text/html")),
    Route("/sound", lambda request: part_of(CONTENT, request, "audio/wav")),
    Route("/refused", refuse),
    Route("/echo", echo, methods=["POST"]),
    Route("/number/{text}", number),
]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with served(ROUTES) as running:
        yield running


@pytest.fixture(scope="module")
def page(server: LocalServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address) as client:
        yield client


def test_the_page_is_there_below_its_token(page):
    answer = page.get("")
    assert (answer.status_code, answer.text) == (200, "the page")
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["", "wrong/", "/", "sound", "%2e%2e/sound"])
def test_without_the_token_there_is_nothing(server, path):
    answer = httpx.get(f"http://127.0.0.1:{server.port}/{path}")
    assert answer.status_code == 403
    assert "token" in answer.text
    assert "the page" not in answer.text


def test_a_token_that_is_almost_right_is_wrong(server):
    almost = server.address[:-2] + ("a" if server.address[-2] != "a" else "b") + "/"
    assert httpx.get(almost).status_code == 403
    assert httpx.get(server.address[:-2] + "/").status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80", ""])
def test_another_name_for_this_machine_is_refused(page, host):
    answer = page.get("", headers={"host": host})
    assert answer.status_code in (400, 403)
    assert "the page" not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_what_another_page_sends_is_refused(page, origin):
    for answer in (page.get("", headers={"origin": origin}), page.post("echo", json={}, headers={"origin": origin})):
        assert answer.status_code == 403


def test_the_page_itself_may_send(server, page):
    for name in ("127.0.0.1", "localhost"):
        answer = page.post("echo", json={"a": 1}, headers={"origin": f"http://{name}:{server.port}"})
        assert answer.json() == {"a": 1}


def test_a_form_of_another_page_is_no_request(page):
    answer = page.post("echo", content='{"a": 1}', headers={"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("body", ["", "[1]", "{", '"a"', "[" * 100_000])
def test_what_is_no_object_is_refused(page, body):
    answer = page.post("echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_a_request_may_not_fill_the_memory(page):
    def parts() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1_000_000 + 2):
            yield b" " * 1_000_000

    told = page.post("echo", content=b" " * (MAX_BODY_BYTES + 1), headers={"content-type": "application/json"})
    assert told.status_code == 413
    with httpx.Client(base_url=page.base_url) as another:
        untold = another.post("echo", content=parts(), headers={"content-type": "application/json"})
    assert untold.status_code == 413


@pytest.mark.parametrize(
    ("wanted", "first", "last"), [("0-9", 0, 9), ("90-", 90, 99), ("-5", 95, 99), ("50-1000", 50, 99), ("-500", 0, 99)]
)
def test_a_part_of_a_sound_is_that_part(page, wanted, first, last):
    answer = page.get("sound", headers={"range": f"bytes={wanted}"})
    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"


@pytest.mark.parametrize("wanted", ["100-", "200-300", "-0", "9-3"])
def test_a_part_that_is_not_there_is_refused(page, wanted):
    answer = page.get("sound", headers={"range": f"bytes={wanted}"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */100")


@pytest.mark.parametrize("wanted", ["lines=0-9", "bytes=-", "bytes=0-9,20-29", "bytes=a-b", "bytes=" + "9" * 40 + "-"])
def test_a_range_of_another_form_gives_all(page, wanted):
    answer = page.get("sound", headers={"range": wanted})
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_errors_are_one_line_and_their_status(page):
    answer = page.get("refused")
    assert (answer.status_code, answer.json()) == (422, {"error": "kick.wav: is empty"})
    assert page.get("nothing").status_code == 404
    assert page.get("../../etc/passwd").status_code in (403, 404)


@pytest.mark.parametrize(
    ("text", "status"), [("2", 200), ("3", 404), ("-1", 404), ("x", 404), ("9" * 30, 404), ("٣", 404)]
)
def test_a_number_is_one_that_is_there(page, text, status):
    assert page.get(f"number/{text}").status_code == status


def test_a_second_server_on_the_port_is_told_so(server):
    with pytest.raises(LockedError, match=f"--port {server.port} is in use"), served(ROUTES, port=server.port):
        pass


def test_clients_that_say_nothing_keep_nobody_waiting(server, page):
    silent = []
    try:
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", server.port))
            one.sendall(b"GET /")
            silent.append(one)
        assert page.get("").status_code == 200
    finally:
        for one in silent:
            one.close()


def test_many_at_once_are_all_answered(server):
    # no connection waits for another's
    with httpx.Client(limits=httpx.Limits(max_connections=60)) as client, ThreadPoolExecutor(60) as pool:
        answers = pool.map(lambda _: client.get(server.address + "sound").status_code, range(120))
        assert set(answers) == {200}


def test_the_server_is_gone_when_its_block_ends():
    with served(ROUTES) as running:
        running.finish()
        running.wait()
        assert httpx.get(running.address).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.address)
