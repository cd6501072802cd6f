"""A web service that edits photos: FastAPI, one model, a bounded queue.

pip install fastapi uvicorn
uvicorn --app-dir examples server:app
curl --data-binary @me.jpg 'http://127.0.0.1:8000/edit?Smiling=1&hair_color=Blond_Hair' -o out.jpg
"""

import asyncio
from io import BytesIO

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from icgan_sdk import EditResult, IcGAN, IcGANError

AT_ONCE, WAITING = 2, 16
"""Edits at the same time, and requests that may wait for their turn."""

LARGEST = 20_000_000
"""Bytes of a photo."""

MODEL = IcGAN.from_pretrained("celeba", runtime="auto")
MODEL.share_cores(AT_ONCE)

app = FastAPI()
turns = asyncio.Semaphore(AT_ONCE)
waiting = 0


@app.post("/edit")
async def edit(request: Request) -> Response:
    """Edit the photo in the request's body as the query says: ``?Smiling=1``."""
    global waiting  # noqa: PLW0603 - one event loop, and so one writer
    photo = await request.body()
    if len(photo) > LARGEST:
        return JSONResponse({"error": f"more than {LARGEST:,} bytes"}, 413)
    if waiting >= WAITING:
        return JSONResponse({"error": "too many requests: try again soon"}, 503)
    waiting += 1
    try:
        async with turns:
            result = await asyncio.to_thread(edited, photo, dict(request.query_params))
    except IcGANError as error:  # an attribute that doesn't exist, for instance
        return JSONResponse({"error": str(error)}, 400)
    finally:
        waiting -= 1
    if result.image is None:
        return JSONResponse({"error": str(result.error)}, 422)
    with BytesIO() as file:
        result.image.convert("RGB").save(file, "JPEG", quality=92)  # no metadata goes out
        notes = ",".join([*result.already_there, *result.not_real_yet])
        return Response(file.getvalue(), media_type="image/jpeg", headers={"X-Notes": notes})


def edited(photo: bytes, settings: dict[str, str]) -> EditResult:
    """Edit one photo; in a thread, which other requests don't wait for."""
    changes = {name: number_or_name(value) for name, value in settings.items()}
    (result,) = MODEL.stream([photo], changes, on_error="skip", at_once=AT_ONCE)
    return result


def number_or_name(value: str) -> float | str:
    """``0.5`` as a number, ``Blond_Hair`` as a member of a group."""
    try:
        return float(value)
    except ValueError:
        return value
