"""Finding plug-ins: installed packages with an entry point in the group `icgan_sdk.plugins`.

An entry point names a function. It is called once, when something is asked for that the package
itself hasn't got, or when training or an evaluation begins. What it registers is remembered with
the plug-in's name.
"""

from importlib.metadata import entry_points

from icgan_sdk.errors import ConfigError

GROUP = "icgan_sdk.plugins"

_sources: dict[tuple[str, str], str] = {}


class _State:
    """What has been loaded, and what is being loaded."""

    loaded = False
    plugin = ""


def load_plugins() -> None:
    """Load all plug-ins that are installed; later calls do nothing.

    Raises:
        ConfigError: If a plug-in fails.
    """
    if _State.loaded:
        return
    _State.loaded = True
    for entry in entry_points(group=GROUP):
        name = entry.dist.name if entry.dist else entry.name
        _State.plugin = name
        try:
            entry.load()()
        except Exception as error:  # a plug-in may raise anything
            problem = f"{type(error).__name__}: {error}"
            raise ConfigError(
                f"the plug-in {name} ({entry.value}) fails: {problem}; update or uninstall it"
            ) from error
        finally:
            _State.plugin = ""


def note_source(kind: str, name: str, made_by: object) -> None:
    """Remember which plug-in something comes from.

    Args:
        kind: What it is, like "generator".
        name: Its name.
        made_by: The class or function; its package counts where no entry point is being loaded.
    """
    package = str(getattr(made_by, "__module__", "")).partition(".")[0]
    _sources[kind, name] = _State.plugin or package


def source_of(kind: str, name: str) -> str:
    """The plug-in that something was registered by; "": none."""
    return _sources.get((kind, name), "")
