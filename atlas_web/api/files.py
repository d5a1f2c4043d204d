"""What the OpenAPI document says of operations that answer with files."""


def answers_with(media_type: str) -> dict[str, object]:
    """What the OpenAPI document says of an operation that answers with a file."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "parameters": [
            {
                "in": "header",
                "name": "Range",
                "schema": {"type": "string"},
                "description": "one range of bytes, such as bytes=1048576-",
                "required": False,
            }
        ],
        "responses": {
            200: {"description": "The whole file", "content": content},
            206: {"description": "The range that was asked for", "content": content},
        },
    }


def answers_with_one_of(*media_types: str) -> dict[str, object]:
    """What the OpenAPI document says of an operation that answers with one of several kinds of file."""
    content = {each.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for each in media_types}
    return {"responses": {200: {"description": "The whole file", "content": content}}}
