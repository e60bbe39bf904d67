"""Lengths as people write them."""

import pytest

from deepsight_ros.language.lengths import as_learned
from deepsight_ros.language.lengths import lengths_in


@pytest.mark.parametrize(('text', 'metres'), [
    ('move 2 m forward', 2.0), ('move 2m', 2.0), ('150 cm', 1.5), ('2,5 m', 2.5), ('.5 m', 0.5),
    ('3 metres', 3.0), ('1 Meter', 1.0), ('10 feet', 3.048), ('6-foot', 1.8288), ('3 ft', 0.9144),
    ('40 inches', 1.016), ('5 yards', 4.572), ('0.02 km', 20.0), ('900 mm', 0.9)])
def test_units(text, metres):
    assert lengths_in(text) == (pytest.approx(metres),)
    assert lengths_in(as_learned(text)) == (pytest.approx(metres, abs=0.005),)


@pytest.mark.parametrize(('text', 'learned'), [
    ('move 2 m forward', 'move 2.00 m forward'), ('2.5 metres?', '2.50 metres?'),
    ('3meters', '3.00 meters'), ('150 cm', '150 cm'), ('10 feet', '3.05 m'), ('2,5 m', '2.50 m'),
    ('IS A CHAIR 2 M OFF', 'is a chair 2.00 m off'), ('How Far Is It', 'how far is it'),
    ('WHICH IS NEARER, A <loc:0.1,0.1>', 'which is nearer, A <loc:0.1,0.1>'),
    ('Is it OK?', 'Is it OK?')])
def test_lengths_are_written_as_questions_are_learned(text, learned):
    assert as_learned(text) == learned


@pytest.mark.parametrize('text', [
    '-2 m', '2-3', '2 m/s', 'how far is (20, 30)?', '<region:0.50000,0.50000>', 'm', 'two metres',
    '5 men', '3 fto', '2 in front', '1,000 mm', '1 000 mm', '1 m per hour', '2 m tall'])
def test_what_is_no_length(text):
    assert lengths_in(text) == ()
    assert as_learned(text) == text
