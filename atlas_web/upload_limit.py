"""Files that a form sends and that are larger than allowed are not kept, not even for a moment."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


def is_too_large(request: HttpRequest) -> bool:
    """Whether the request has more bytes than a file may have; its files were passed over then."""
    sent = request.META.get("CONTENT_LENGTH") or "0"
    return sent.isdecimal() and int(sent) > settings.ATLAS_MAX_UPLOAD_BYTES


class LimitedUpload(FileUploadHandler):
    """The first of the handlers: it passes over every file of a request that is too large, and touches no other."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],  # noqa: ARG002  # the signature is Django's
        META: Mapping[str, Any],  # noqa: ARG002, N803
        content_length: int,
        boundary: str,  # noqa: ARG002
        encoding: str | None = None,  # noqa: ARG002
    ) -> None:
        """Note how large the request is."""
        self.too_large = content_length > settings.ATLAS_MAX_UPLOAD_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Pass over the file if the request is too large.

        Raises:
            SkipFile: it is.
        """
        super().new_file(*args, **kwargs)
        if self.too_large:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        """Hand the bytes on to the next handler."""
        return raw_data

    def file_complete(self, file_size: int) -> "UploadedFile[bytes] | None":  # noqa: ARG002
        """Leave the file to the next handler."""
        return None
