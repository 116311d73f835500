"""A JSON body, as the OpenAPI document tells of it.

Routes read it with ``hub.api.body.parsed``, so FastAPI does not see what they want.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = ["asked"]


def asked(model: type[BaseModel]) -> dict[str, Any]:
    """What a route's ``openapi_extra`` says of the body that it wants."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
