"""botocore's service models, loaded once each, in the classes that moto's parsers and serializers expect.

These are AWS's models as botocore ships them, without moto's own additions: parameters and answers
look exactly as boto3 shows them.
"""

from __future__ import annotations

import threading
from functools import lru_cache

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from moto.core.model import OperationModel, ServiceModel

_loader = Loader()
_lock = threading.Lock()
_models: dict[str, ServiceModel] = {}


class UnknownService(Exception):
    """botocore has no service of this name."""


def service_model(service: str) -> ServiceModel:
    """Raises UnknownService."""
    model = _models.get(service)
    if model is None:
        with _lock:
            model = _models.get(service)
            if model is None:
                model = _models[service] = _load(service)
    return model


def _load(service: str) -> ServiceModel:
    try:
        description = _loader.load_service_model(service, "service-2")
    except UnknownServiceError as error:
        raise UnknownService(service) from error
    return ServiceModel(description, service)


@lru_cache(maxsize=4096)
def operation_model(service: str, operation: str) -> OperationModel:
    """Raises UnknownService, or botocore's OperationNotFoundError."""
    return service_model(service).operation_model(operation)


def signing_name(service: str) -> str:
    """The service's name in a signature's credential scope."""
    model = service_model(service)
    return str(model.metadata.get("signingName") or model.endpoint_prefix)
