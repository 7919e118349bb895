"""Who may ask the studio, and how much."""

import http.client
import json
import threading

import pytest

pytest.importorskip("starlette")
from multiconv.studio import Message
from multiconv.studio._envelope import decode, encode
from multiconv.studio._server import serve

BODY = encode(Message({"f": [1, 2, 3], "g": [1, 1], "mode": "full", "correlate": False}))


def ask(server, path="/api/sum/convolve", method="POST", body=BODY, **headers):
    connection = http.client.HTTPConnection(server, timeout=20)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body if method == "POST" else None, sent)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    return response, answer


@pytest.fixture
def cookie(address):
    host, token = address
    response, _ = ask(host, f"/?token={token}", "GET")
    assert response.status == 303
    value = response.getheader("set-cookie")
    assert "HttpOnly" in value
    assert "SameSite=strict" in value
    return value.partition(";")[0]


def test_the_token_opens_the_door_once_and_a_cookie_keeps_it_open(address, cookie):
    host, _ = address
    response, page = ask(host, "/", "GET", cookie=cookie)
    assert response.status == 200
    assert b"multiconv studio" in page
    assert "frame-ancestors 'none'" in response.getheader("content-security-policy")
    assert ask(host, cookie=cookie)[0].status == 200


REFUSED = {
    "no token": ({}, 403),
    "a wrong token": ({"cookie": "multiconv-1=x"}, 403),
    "another name for this computer": ({"host": "evil.example"}, 421),
    "another port's name": ({"host": "127.0.0.1:1"}, 421),
    "another site's page": ({"origin": "http://evil.example"}, 403),
    "a page without an origin": ({"origin": "null"}, 403),
    "another port's page": ({"origin": "http://127.0.0.1:1"}, 403),
    "another site's script": ({"sec_fetch_site": "cross-site"}, 403),
    "another site's form": ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 403),
}


@pytest.mark.parametrize("case", REFUSED)
def test_others_are_refused(address, cookie, case):
    headers, status = REFUSED[case]
    with_cookie = {} if "token" in case else {"cookie": cookie}
    response, answer = ask(address[0], **with_cookie, **headers)
    assert response.status == status
    assert answer.decode().endswith(".")


@pytest.mark.parametrize("path", ["/", "/main.js", "/?token=wrong", "/api/sum/convolve"])
def test_nothing_is_shown_without_the_token(address, path):
    response, answer = ask(address[0], path, "GET")
    assert response.status == 403
    assert b"'multiconv studio' printed" in answer


def test_no_sockets_are_opened(address, cookie):
    response, _ = ask(
        address[0], "/", "GET", cookie=cookie, connection="Upgrade", upgrade="websocket",
        sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==", sec_websocket_version="13",
    )  # fmt: skip
    assert response.status != 101


def test_files_beside_the_page_are_not_shown(address, cookie):
    for path in ("/../_guard.py", "/%2e%2e/_guard.py", "//etc/passwd", "/core/../../_app.py"):
        response, answer = ask(address[0], path, "GET", cookie=cookie)
        assert response.status == 404, path
        assert b"import" not in answer


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/api/cellar/convolve", BODY, 404, "no room answers"),
        ("/api/sum/__class__", BODY, 404, "no room answers"),
        ("/api/sum/convolve", b"x" * 100, 400, "message: "),
        ("/api/sum/convolve", encode(Message({"f": [1]})), 400, "missing"),
        ("/api/sum/convolve", encode(Message({"f": [1], "g": [], "mode": "full", "correlate": 0})),
         400, "g: "),
        ("/api/sum/convolve", bytes(65 << 20), 400, "64 MB"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_gets_one_sentence(address, cookie, path, body, status, reason):
    response, answer = ask(address[0], path, body=body, cookie=cookie)
    assert response.status == status
    sentence = json.loads(answer)["error"]
    assert reason in sentence
    assert "Traceback" not in sentence


def test_a_hundred_tabs_do_not_bring_it_down(address, cookie):
    found = []

    def tab():
        for _ in range(3):
            response, _ = ask(address[0], cookie=cookie)
            found.append(response.status)

    tabs = [threading.Thread(target=tab) for _ in range(100)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert len(found) == 300
    assert set(found) <= {200, 503}
    assert ask(address[0], cookie=cookie)[0].status == 200


def test_those_who_leave_do_not_hold_up_the_others(address, cookie):
    host, _ = address
    for _ in range(100):
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("POST", "/api/sum/convolve", BODY, {"cookie": cookie})
        connection.close()
    response, answer = ask(host, cookie=cookie)
    while response.status == 503:  # those who have just left are still being counted out
        response, answer = ask(host, cookie=cookie)
    assert response.status == 200
    assert decode(answer).values["result"] == [1, 3, 5, 3]


def test_a_port_that_cannot_be_had_is_one_sentence(address):
    taken = int(address[0].partition(":")[2])
    for port in (taken, 70_000):
        with pytest.raises(ValueError, match=f"port: {port} cannot be used .*, give another or 0"):
            serve(port, browser=False)
