"""``stereokit score listen`` from the command line to its results, over a real server."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from scipy.stats import binomtest
from toy_study import LEVELS, folders, held, word_for

from stereokit.data.listening import Listening
from stereokit.serving.local_server import LocalServer, served
from stereokit.workflows.score_listen_page import ListenPage

FINISH = {"really": True}


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    return folders(tmp_path)


@pytest.fixture
def in_their_place(given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the folders, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[httpx.Client], None]], None]:
    """Say what listeners do once the page is there; the server's own wait follows."""

    wait = LocalServer.wait

    def say(act: Callable[[httpx.Client], None]) -> None:
        def acted(server: LocalServer) -> None:
            with httpx.Client(base_url=server.address) as client:
                act(client)
            wait(server)

        monkeypatch.setattr(LocalServer, "wait", acted)

    return say


def go_through(client: httpx.Client, path: Path, name: str, group: str | None, sides: str) -> None:
    """Answer trial after trial for the folders of ``sides``: a, b or s for the same; a pair asked again for a."""
    state = client.post("join", json={"name": name, "group": group}).json()
    file = Listening(path)
    for side in sides:
        trial = file.trial(client.get(f"listener/{state['listener']}").json()["trial"])
        word = "same" if side == "s" else word_for(trial, "a" if trial.turn.is_control else side)
        assert client.post("answer", json={"trial": trial.token, "answer": word}).status_code == 200
    file.close()


class TestAStudy:
    def test_from_joining_to_results_by_group(self, run, given, tmp_path: Path, listeners):
        path = tmp_path / "study.sqlite"

        def act(client: httpx.Client) -> None:
            go_through(client, path, "Ann", "musicians", "aaaa")
            go_through(client, path, "Bob", "others", "abss")
            go_through(client, path, "Cem", "musicians", "aab")
            assert client.post("finish", json=FINISH).status_code == 200

        listeners(act)
        done = run("score", "listen", *given, "-o", path, "--groups", "musicians,others", "--allow-same")
        assert done.status == 0, done.err
        musicians, others, everybody = done.rows
        assert {row["schema"] for row in done.rows} == {"stereokit.score.listen/1"}
        assert [(row["of"], row["group"]) for row in done.rows] == [
            ("group", "musicians"),
            ("group", "others"),
            ("all", None),
        ]
        assert [musicians[key] for key in ("trials", "for_a", "for_b", "same", "left")] == [7, 6, 1, 0, 1]
        assert [others[key] for key in ("trials", "for_a", "for_b", "same", "left")] == [4, 1, 1, 2, 0]
        assert [everybody[key] for key in ("trials", "for_a", "for_b", "same", "left")] == [11, 7, 2, 2, 1]
        assert (everybody["listeners"], everybody["listeners_finished"]) == (3, 2)
        # Ann and Cem chose a more often, Bob neither: two of two
        assert (everybody["listeners_for_a"], everybody["listeners_for_b"], everybody["listeners_p"]) == (2, 0, 0.5)
        known = binomtest(7, 9)
        assert everybody["share_a"] == 7 / 9
        assert everybody["p"] == pytest.approx(known.pvalue, abs=1e-9)
        around = known.proportion_ci(0.95, "exact")
        assert (everybody["share_a_low"], everybody["share_a_high"]) == pytest.approx(
            (around.low, around.high), abs=1e-9
        )
        assert everybody["question"] == "Which is nearer to the reference?"
        assert re.search(r"listen at http://127\.0\.0\.1:\d+/[\w-]{20,}/\n", done.err)
        assert not path.with_name("study.sqlite.lock").exists()

    def test_it_goes_on_where_it_was_and_ctrl_c_tells_what_there_is(
        self, run, given, tmp_path: Path, listeners, monkeypatch
    ):
        path = tmp_path / "study.sqlite"
        words = ["score", "listen", *given[:2], "-o", path, "--question", "Which is wider?", "--csv"]

        def interrupted(client: httpx.Client) -> None:
            go_through(client, path, "Ann", None, "ab")
            raise KeyboardInterrupt

        listeners(interrupted)
        first = run(*words)
        assert first.status == 130
        (row,) = csv.DictReader(io.StringIO(first.out))
        assert (row["for_a"], row["for_b"], row["left"], row["question"]) == ("1", "1", "2", "Which is wider?")

        def act(client: httpx.Client) -> None:
            state = client.post("join", json={"name": "Ann", "again": True}).json()
            assert (state["answered"], state["total"]) == (2, 4)
            client.post("finish", json=FINISH)

        listeners(act)
        assert run(*words).status == 0

    def test_refused_clips_give_status_3_in_the_end(self, run, given, tmp_path: Path, listeners):
        (Path(given[0]) / "take-0.wav").write_bytes(b"no sound")
        listeners(lambda client: client.post("finish", json=FINISH))
        done = run("score", "listen", *given, "-o", tmp_path / "study.sqlite")
        assert done.status == 3
        assert "take-0.wav" in done.err
        assert done.rows[0]["pairs"] == 3

    def test_another_study_in_the_file_is_refused_by_what_differs(self, run, given, tmp_path: Path, listeners):
        path = tmp_path / "study.sqlite"
        listeners(lambda client: client.post("finish", json=FINISH))
        assert run("score", "listen", *given[:2], "-o", path).status == 0
        for words, said in (
            ([*given[:2], "--seed", "5"], "a study with seed 0, this one has 5"),
            (given[1::-1], "a study with a "),
            ([*given], "a study with reference none"),
            ([*given[:2], "--controls", "2"], "controls 0, this one has 2"),
            ([*given[:2], "--pairs", "2"], "other pairs (4, here 2)"),
            ([*given[:2], "--allow-same"], "allow_same false, this one has true"),
        ):
            other = run("score", "listen", *words, "-o", path)
            assert (other.status, said in other.err) == (2, True), other.err

    def test_results_need_no_folders_and_other_folders_are_refused(self, run, given, tmp_path: Path, listeners):
        path = tmp_path / "study.sqlite"

        def act(client: httpx.Client) -> None:
            go_through(client, path, "Ann", None, "aaaaaa")
            client.post("finish", json=FINISH)

        listeners(act)
        words = ["score", "listen", *given[:2], "-o", path, "--controls", "2"]
        held_row = run(*words).rows[-1]
        results = run("score", "listen", "-o", path, "--results", "--per-listener", "--per-trial")
        assert results.status == 0
        assert results.rows[-1] == held_row
        assert (held_row["controls"], held_row["consistency"], held_row["trials"]) == (2, 1.0, 4)
        assert [row["schema"].split(".")[-1] for row in results.rows] == ["trial/1"] * 6 + ["listener/1", "listen/1"]
        trial, listener = results.rows[0], results.rows[-2]
        assert (listener["listener"], listener["for_a"], listener["consistency"]) == ("Ann", 4, 1.0)
        assert trial["a"] == trial["b"]
        assert (trial["answer"], trial["gain_b_db"], trial["gain_reference_db"]) == ("a", 0.0, None)
        assert trial["gain_a_db"] < -9.0
        assert run(*words, "--results").rows == [held_row]
        refused = run("score", "listen", given[1], given[0], "-o", path, "--results")
        assert (refused.status, "holds a study with a" in refused.err) == (2, True)

    def test_the_picture_and_the_table_are_drawn_and_the_same_bytes_again(self, run, given, tmp_path: Path, listeners):
        path = tmp_path / "study.sqlite"

        def act(client: httpx.Client) -> None:
            go_through(client, path, "$Ann$", "<b>", "aaab")
            go_through(client, path, "Bob", None, "aa")
            client.post("finish", json=FINISH)

        listeners(act)
        run("score", "listen", *given[:2], "-o", path)
        contents = []
        for name in ("one.png", "two.png", "one.svg", "two.svg"):
            shown = run("score", "listen", "-o", path, "--results", "--per-listener", "--plot", tmp_path / name)
            assert shown.status == 0, shown.err
            contents.append((tmp_path / name).read_bytes())
        assert contents[0] == contents[1]
        assert contents[2] == contents[3]
        assert contents[0].startswith(b"\x89PNG")
        table = run("score", "listen", "-o", path, "--results", "--per-listener", terminal=True).out
        assert re.search(r"all +2 +5 +1 +0 +83\.3 % +35\.9 to 99\.6 +0\.219", table)
        assert re.search(r"no group +1 +2 +0", table)
        # a path that is longer than the terminal is wide goes over lines
        assert "".join(f"Which do you prefer? A {given[0]}".split()) in "".join(table.split())

    def test_a_dry_run_tells_the_pairs_and_leaves_nothing(self, run, given, in_their_place: Path):
        done = run("score", "listen", *given, "-o", "study.sqlite", "--dry-run", "--pairs", "3", "--quiet")
        assert (done.status, done.out) == (0, "")
        done = run("score", "listen", *given, "-o", "study.sqlite", "--dry-run", "--pairs", "3")
        assert {row["schema"] for row in done.rows} == {"stereokit.score.listen.pair/1"}
        assert [(row["b"], row["reference"], row["gain_b_db"]) for row in done.rows] == [
            (row["a"], row["a"], 0.0) for row in done.rows
        ]
        assert len(done.rows) == 3
        assert sorted(path.name for path in in_their_place.iterdir()) == sorted(LEVELS)


class TestWhatIsRefused:
    def test_the_extra_is_named_where_it_is_missing(self, run, given, tmp_path: Path, monkeypatch):
        for name in [name for name in sys.modules if name.startswith(("stereokit.workflows.score_listen", "uvicorn"))]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "stereokit.workflows.score_listen_page", None)
        done = run("score", "listen", *given, "-o", tmp_path / "study.sqlite")
        assert done.status == 5
        assert "pip install 'stereokit[label]'" in done.err

    def test_a_port_in_use_is_told_and_leaves_no_lock(self, run, given, tmp_path: Path):
        with served([]) as other:
            done = run("score", "listen", *given, "-o", tmp_path / "study.sqlite", "--port", other.port)
        assert (done.status, f"--port {other.port} is in use" in done.err) == (75, True)
        assert not (tmp_path / "study.sqlite.lock").exists()

    @pytest.mark.parametrize(
        ("words", "status", "said"),
        [
            (["-o", "s.sqlite"], 2, "give two folders"),
            (["secret-a", "secret-b", "-o", "s.sqlite", "--quiet"], 2, "--quiet hides the page's address"),
            (["secret-a", "secret-b", "-o", "missing/s.sqlite"], 74, "its folder is missing"),
            (["secret-a", "nowhere", "-o", "s.sqlite"], 2, "nowhere"),
            (["-o", "s.sqlite", "--results"], 2, "no study was begun there"),
            (["secret-a", "secret-a", "-o", "s.sqlite"], 2, "A and B are both"),
        ],
    )
    def test_it_says_why_in_a_line_and_writes_nothing(self, run, in_their_place: Path, words, status, said):
        done = run("score", "listen", *words)
        assert (done.status, done.out, said in done.err) == (status, "", True), done.err
        assert done.err.count("\n") == 1
        assert sorted(path.name for path in in_their_place.iterdir()) == sorted(LEVELS)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A study's page, and somebody who speaks with it."""
    place = tmp_path_factory.mktemp("page")
    with held(folders(place)) as study, served(ListenPage(study).routes()) as server:
        limits = httpx.Limits(max_connections=60)
        with httpx.Client(base_url=server.address, limits=limits, timeout=60.0) as opened:
            yield opened


class TestThePage:
    def test_its_files_are_there_and_name_no_clip(self, client):
        for name, kind in (("", "text/html"), ("listen.css", "text/css"), ("listen.js", "text/javascript")):
            answer = client.get(name)
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
        assert "innerHTML" not in client.get("listen.js").text

    def test_sounds_come_whole_and_in_parts_and_both_sides_alike(self, client):
        trial = client.post("join", json={"name": "Ann"}).json()["trial"]
        answers = [client.get(f"sound/{trial}/{which}") for which in ("1", "2", "x")]
        assert [answer.status_code for answer in answers] == [200] * 3
        # all that a browser shows of them is the same
        alike = [{name: value for name, value in one.headers.items() if name != "date"} for one in answers]
        assert alike[0] == alike[1] == alike[2]
        part = client.get(f"sound/{trial}/1", headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, answers[0].content[10:20])

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("listener/nobody", 404), ("sound/x/1", 404), ("sound/../../etc/passwd", 403), ("study/x", 404),
            ("sound/%2e%2e/1", 404), ("answer", 405), ("finish", 405),
        ],
    )  # fmt: skip
    def test_what_is_not_there_is_not_found(self, client, path: str, status: int):
        assert client.get(path).status_code in (status, 404)

    @pytest.mark.parametrize(
        ("path", "sent", "status"),
        [
            ("join", {}, 422), ("join", {"name": "a" * 10_000}, 422), ("join", {"name": ["x"]}, 422),
            ("answer", {}, 404), ("answer", {"trial": {"x": 1}, "answer": "1"}, 404), ("finish", {}, 422),
            ("finish", {"really": "yes"}, 422), ("join", [1], 400),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused_in_a_line(self, client, path: str, sent: object, status: int):
        answer = client.post(path, json=sent)
        assert answer.status_code == status
        assert len(answer.json()["error"]) < 200

    def test_of_two_answers_at_once_one_stays_and_the_other_is_told(self, client):
        state = client.post("join", json={"name": "Two tabs"}).json()
        gate = threading.Barrier(8)

        def answer(number: int) -> int:
            gate.wait()
            return client.post("answer", json={"trial": state["trial"], "answer": "12"[number % 2]}).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(answer, range(8))) == [200] + [409] * 7
        assert client.get(f"listener/{state['listener']}").json()["answered"] == 1

    def test_forty_listeners_at_once_lose_nothing(self, client):
        def listen(number: int) -> int:
            state = client.post("join", json={"name": f"listener {number}"}).json()
            for _ in range(2):
                trial = client.get(f"listener/{state['listener']}").json()["trial"]
                assert client.post("answer", json={"trial": trial, "answer": "1"}).status_code == 200
            return client.get(f"listener/{state['listener']}").json()["answered"]

        with ThreadPoolExecutor(40) as pool:
            assert list(pool.map(listen, range(40))) == [2] * 40


def test_a_killed_study_has_every_answer_and_meanwhile_nobody_else_holds_it(run, given, tmp_path: Path):
    path = tmp_path / "study.sqlite"
    words = [sys.executable, "-m", "stereokit", "score", "listen", *given[:2], "-o", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    ) as study:
        try:
            line = next(line for line in study.stderr if "listen at" in line)
            with httpx.Client(base_url=line.split()[-1]) as client:
                go_through(client, path, "Ann", None, "aba")
                second = run("score", "listen", *given[:2], "-o", path)
                assert (second.status, f"{path} is in use by process {study.pid}" in second.err) == (75, True)
                meanwhile = run("score", "listen", "-o", path, "--results").rows[0]
        finally:
            study.send_signal(signal.SIGKILL)
    assert (meanwhile["for_a"], meanwhile["for_b"]) == (2, 1)
    assert run("score", "listen", "-o", path, "--results").rows == [meanwhile]
