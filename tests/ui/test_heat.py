"""The cells of a matrix of scores."""

from ui.heat import HeatCell


def test_a_cell_that_leads_somewhere_is_a_link_with_its_colour() -> None:
    shown = HeatCell(text="0.843", title='a "b"', css="q6 is-best", href="/benchmarks/1/").render()
    assert shown == '<a class="q6 is-best" href="/benchmarks/1/" title="a &quot;b&quot;">0.843</a>'


def test_a_sign_says_in_words_what_it_means() -> None:
    shown = HeatCell(text="", title="why", css="glyph", glyph="clock", spoken="Queued").render()
    assert shown.startswith('<span class="glyph" title="why"><svg')
    assert shown.endswith('</svg><span class="visually-hidden">Queued</span></span>')
