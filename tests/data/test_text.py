"""Names from outside: nothing acts on a terminal, every stem can be a file name anywhere."""

import hashlib
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stereokit.data.text import digest, nfc, output_stem, printable

# What UTF-8 can hold
TEXT = st.text(st.characters(codec="utf-8"))


class TestPrintable:
    @pytest.mark.parametrize("text", ["", "plain.wav", "Кик 鼓 🥁", "a b", "é", "\u00a0"])
    def test_letters_of_any_language_pass(self, text: str):
        assert printable(text) == text

    @pytest.mark.parametrize(
        ("text", "escaped"),
        [
            ("\x1b[31m", r"\x1b[31m"),
            ("a\nb\tc\rd", r"a\nb\tc\rd"),
            ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
            ("gnp\u202eexe", r"gnp\u202eexe"),
            ("\u200b\ufeff", r"\u200b\ufeff"),
            ("\u2028\u2029", r"\u2028\u2029"),
            ("\ud800\udcff", r"\ud800\udcff"),
            ("\ue000\U0010ffff", r"\ue000\U0010ffff"),
        ],
    )
    def test_what_a_terminal_would_act_on_is_escaped(self, text: str, escaped: str):
        assert printable(text) == escaped

    @given(text=st.text(st.characters()))
    @settings(deadline=None, database=None)
    def test_whatever_comes_the_result_is_utf_8_without_controls_and_as_long_or_longer(self, text: str):
        shown = printable(text)
        assert len(shown.encode("utf-8")) >= len(text)
        assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class TestDigest:
    def test_composed_and_decomposed_names_are_one_name(self):
        assert nfc("e\u0301") == "é"
        assert digest("e\u0301.wav") == digest("é.wav")
        assert output_stem("e\u0301.wav") == output_stem("é.wav")

    @pytest.mark.parametrize("size", [1, 4, 16])
    def test_it_is_blake2b_of_so_many_bytes(self, size: int):
        assert digest("é", size=size) == hashlib.blake2b(b"\xc3\xa9", digest_size=size).digest()


class TestOutputStem:
    @pytest.mark.parametrize(
        ("key", "slug"),
        [
            ("kick.wav", "kick"),
            ("Drums/Kick 01.WAV", "kick-01"),
            ("a/b.c/Snare (loud)_[dry].take2.wav", "snare-loud-dry-take2"),
            ("Übung.wav", "ubung"),
            ("  -- dashes -- .wav", "dashes"),
            ("no suffix", "no-suffix"),
            ("ﬁle.wav", "file"),
        ],
    )
    def test_the_slug_is_the_plain_ascii_of_the_name_alone(self, key: str, slug: str):
        assert re.fullmatch(rf"{slug}-[0-9a-f]{{8}}", output_stem(key))

    @pytest.mark.parametrize("key", ["鼓.wav", "....wav", "/.wav", "", "🥁", "-.wav"])
    def test_a_name_without_plain_letters_is_a_clip(self, key: str):
        assert re.fullmatch(r"clip-[0-9a-f]{8}", output_stem(key))

    @pytest.mark.parametrize("name", ["con", "PRN", "aux", "nul", "com1", "LPT9"])
    def test_a_name_that_windows_keeps_for_itself_gets_a_word_before_it(self, name: str):
        assert output_stem(f"{name}.wav").startswith(f"clip-{name.lower()}-")

    def test_names_that_only_begin_like_those_stay(self):
        assert output_stem("console.wav").startswith("console-")
        assert output_stem("com10.wav").startswith("com10-")

    def test_a_long_name_is_cut_and_never_ends_with_a_hyphen_before_the_digits(self):
        assert re.fullmatch(r"a{48}-[0-9a-f]{8}", output_stem("a" * 300 + ".wav"))
        assert re.fullmatch(r"b{47}-[0-9a-f]{8}", output_stem("b" * 47 + " c.wav"))

    def test_the_same_name_in_two_folders_or_with_two_suffixes_is_two_stems(self):
        assert len({output_stem(key) for key in ("a/x.wav", "b/x.wav", "x.wav", "x.flac", "X.wav")}) == 5

    @given(key=TEXT)
    @settings(deadline=None, database=None)
    def test_whatever_the_name_the_stem_is_short_lower_case_and_plain(self, key: str):
        stem = output_stem(key)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8}", stem)
        assert len(stem) <= 62
        assert stem == output_stem(unicodedata.normalize("NFD", key))
