from lungcad.evaluate.pareto import pareto_front


def test_the_pareto_front_holds_what_nothing_beats():
    assert pareto_front([1, 2, 2, 3, 4], [0.5, 0.7, 0.6, 0.7, 0.9]) == [0, 1, 4]
    assert pareto_front([2, 1, 1], [0.5, 0.5, 0.5]) == [1, 2]
