"""The page as a whole."""

from collections.abc import Mapping

import gradio as gr

from icgan_sdk.demo.catalogue import Exhibit
from icgan_sdk.demo.edit_tab import EditTab
from icgan_sdk.demo.pair_tabs import interpolation_tab, swap_tab
from icgan_sdk.demo.parts import QUICK

CACHE_SWEEP, CACHE_AGE = 600, 3600
"""Every so many seconds, pictures that are older than that are deleted."""

INTRODUCTION = """# IcGAN
Choose a photo, then what should change."""


def build_page(exhibits: Mapping[str, Exhibit]) -> gr.Blocks:
    """The page that shows these models, not yet served.

    Args:
        exhibits: At least one, by name; the first is shown first.
    """
    first = next(iter(exhibits))
    page = gr.Blocks(title="IcGAN", analytics_enabled=False, delete_cache=(CACHE_SWEEP, CACHE_AGE))
    with page:
        with gr.Row(elem_classes="head"):
            with gr.Column(min_width=160):
                gr.Markdown(INTRODUCTION)
            choice = gr.Dropdown(
                list(exhibits),
                value=first,
                label="Model",
                filterable=False,
                visible=len(exhibits) > 1,
                scale=0,
                min_width=160,
            )
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Edit"):
                EditTab(exhibits, choice, page)
            with gr.Tab("Blend two photos") as tab:
                interpolation_tab(exhibits, choice, tab)
            with gr.Tab("Trade features") as tab:
                swap_tab(exhibits, choice, tab)
            with gr.Tab("About"):
                card = gr.Markdown(exhibits[first].card, elem_classes="card")
        choice.change(lambda name: exhibits[name].card, choice, card, **QUICK)
    return page
