import pytest

from stereokit.data.weak_labels import SYNONYMS, WeakLabel, synonym_map, weak_label
from stereokit.errors import BadInputError, UsageError


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("BD_01.wav", "kick"),
        ("bd01.WAV", "kick"),
        ("808/BassDrum Hard.wav", "kick"),
        ("bass drum.wav", "kick"),
        ("KickLoop.wav", "kick"),
        ("SNAREDRUM_106.wav", "snare"),
        ("my-sd-2.wav", "snare"),
        ("Closed Hat-01.wav", "hat"),
        ("ClosedHat.wav", "hat"),
        ("hi_hat.wav", "hat"),
        ("CH.wav", "hat"),
        ("Ride/01.wav", "ride"),
        ("maracas.wav", "shaker"),
        ("Low Tom.wav", "tom"),
        ("handclap.wav", "clap"),
        ("kit/snares/kick.wav", "kick"),
        ("kicks/one/soft.wav", "kick"),
        ("café/Größe.wav", None),
        ("cymbal.wav", None),
        ("bride.wav", None),
        ("tomato.wav", None),
        ("tongue.wav", None),
        (".wav", None),
    ],
)
def test_names_say_what_a_listener_would_read_in_them(key, label):
    assert weak_label(key, synonym_map()).label == label


def test_the_nearest_name_wins_and_a_name_of_two_labels_says_nothing():
    words = synonym_map()
    assert weak_label("snare/bd.wav", words) == WeakLabel("kick", "bd")
    assert weak_label("snare/kick and clap.wav", words) == WeakLabel(None, "kick, clap")
    assert weak_label("kick/kick-bd.wav", words).label == "kick"


def test_own_words_come_first(tmp_path):
    table = tmp_path / "words.csv"
    table.write_text("word,label\nBoum,kick\nbd,bass\nRim Shot,rim\n")
    words = synonym_map(table)
    assert weak_label("boum_1.wav", words).label == "kick"
    assert weak_label("BD.wav", words).label == "bass"
    assert weak_label("rim-shot.wav", words).label == "rim"
    assert weak_label("snare.wav", words).label == "snare"


def test_a_table_without_its_columns_or_with_an_empty_word_is_refused(tmp_path):
    table = tmp_path / "words.csv"
    with pytest.raises(UsageError):
        synonym_map(table)
    table.write_text("name,label\nx,kick\n")
    with pytest.raises(UsageError, match="has no column word"):
        synonym_map(table)
    table.write_text("word,label\n,kick\n")
    with pytest.raises(BadInputError, match="line 2: lacks a word or a label"):
        synonym_map(table)


def test_no_word_stands_for_two_labels():
    words = [word for synonyms in SYNONYMS.values() for word in synonyms]
    assert len(words) == len(set(words))
