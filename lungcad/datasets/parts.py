"""Names of a data set's parts (train, valid, test) as people call their folders."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from lungcad.datasets.case import Split
from lungcad.errors import DatasetError
from lungcad.names import printable, same_name

_NAMES = {
    Split.TRAIN: """train training trn trains trained trainval traintune learn learning trainning traning devtrain trainings
        apprentissage entrainement entraînement entrenamiento treino treinamento addestramento opleiding træning träning trening treningowy uczący
        koulutus eğitim тренировка тренировочная тренировочный тренировочные обучение обучающая обучающие 训练 训练集 訓練 学習 学習用 훈련 학습 تدريب""",
    Split.VALID: """valid validation validations val vali vld validate validating dev devel tune tuning crossval crossvalidation
        validierung validierungs validación validacion validação validacao validazione validatie validering walidacja doğrulama
        валидация валидационная валидационный валидационные 验证 验证集 検証 검증""",
    Split.TEST: """test testing tst tests tested eval evaluation holdout heldout unseen holdouttest heldouttest evaluierung evaluación evaluacion avaliação
        avaliacao valutazione prueba pruebas teste testes testowy toets
        тест тестовая тестовый тестовые тестирование 测试 测试集 テスト 테스트 시험""",
}
SYNONYMS = {split: tuple(names.split()) for split, names in _NAMES.items()}
"""A folder is a part when one of these is left of its name without case, digits, punctuation and the words in :data:`FILLERS`."""
SHORT = {"tr": Split.TRAIN, "va": Split.VALID, "vd": Split.VALID, "te": Split.TEST, "ts": Split.TEST}
"""Taken for parts only beside another part: alone they may be a class."""
_FILLER_WORDS = """
datasets dataset data subset set sets split part partition portion folder dir images image imgs img pictures slices
slice scans scan cases case samples files ct cts xy x the of for my new old final original orig raw aug augmented
external internal all cropped resized png jpg jpeg dcm dicom v full small large labeled labelled unlabeled
blind hidden independent public private final to a b y fold folds daten datensatz datos dados dati données gegevens bilder imágenes imagens immagini
ensemble conjunto insieme de di d выборка данные 数据 データ 데이터
"""


def _plain(name: str) -> str:
    """Without case, accents and other marks."""
    marked = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFC", "".join(char for char in marked if not unicodedata.combining(char)))


FILLERS = tuple(map(_plain, _FILLER_WORDS.split()))
_KNOWN = {_plain(name): split for split, names in SYNONYMS.items() for name in names}
_SPLIT_BY_NAME = _KNOWN | SHORT
_PART = "|".join(sorted(_SPLIT_BY_NAME, key=len, reverse=True))
_FILLER = "|".join(sorted(FILLERS, key=len, reverse=True))
_GLUED = re.compile(rf"(?:images?|imgs?|data)?({_PART})(?:{_FILLER})*")


def part_of(folder: str, *, short: bool = True) -> Split | None:
    """The part that a folder's name means: ``01_train``, ``Test Set``, ``Hold-Out``, ``imagesTr``. None for any other name.

    short: whether :data:`SHORT` names count.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFKC", folder))  # TrainSet, imagesTr
    all_words = re.findall(r"[^\W\d_]+", _plain(spaced))
    joined = "".join(word for word in all_words if word not in FILLERS)
    matched = _GLUED.fullmatch(joined)
    if matched is None or (not short and joined in SHORT):
        return None
    split = _SPLIT_BY_NAME[matched[1]]
    # in medicine a network is tested, not chosen, by an "external validation" (TRIPOD, Collins et al., BMJ 2015)
    return Split.TEST if split is Split.VALID and {"external", "independent"} & set(all_words) else split


def recognised(folders: Iterable[str]) -> dict[str, Split]:
    """Folder name -> part, of those that mean one; short names (:data:`SHORT`) only beside another part."""
    names = set(folders)
    with_short = {name: split for name in names if (split := part_of(name)) is not None}
    if len(set(with_short.values())) > 1:
        return with_short
    return {name: split for name in names if (split := part_of(name, short=False)) is not None}


def parse_parts(text: str) -> dict[str, Split]:
    """``a=train,b=test`` -> folder -> part. A folder is a name or a path with ``/``, its name may hold commas and equals signs."""
    named: dict[str, Split] = {}
    rest = text.strip()
    while rest:
        matched = re.match(r"\s*(.+?)\s*=\s*([^,=/]+?)\s*(?:,|$)", rest, re.DOTALL)
        split = part_of(matched[2]) if matched else None
        if matched is None or split is None:
            raise DatasetError(
                f"The parts {printable(text)!r} cannot be read; write FOLDER=PART with commas between, PART one of: train, valid, test."
            )
        if named.get(matched[1], split) is not split:
            raise DatasetError(f"The folder {printable(matched[1])!r} cannot be both {named[matched[1]]} and {split}; name it once.")
        named[matched[1]] = split
        rest = rest[matched.end() :]
    if not named:
        raise DatasetError("No part was named; write FOLDER=PART with commas between, PART one of: train, valid, test.")
    return named


def named_part(folders: tuple[str, ...], named: Mapping[str, Split]) -> tuple[int, Split] | None:
    """(depth, part) of the innermost of nested folders that the user named, by its own name or by its path in the data set."""
    known = {tuple(same_name(piece) for piece in name.strip("/").split("/")): split for name, split in named.items()}
    compared = tuple(map(same_name, map(printable, folders)))
    for depth in range(len(folders) - 1, -1, -1):
        for name in (compared[depth : depth + 1], compared[: depth + 1]):
            if name in known:
                return depth, known[name]
    return None
