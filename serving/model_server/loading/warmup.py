"""Requests that a model brings along to be run before it serves: no caller pays for a first run.

Format: ``assets.extra/tf_serving_warmup_requests``, a TFRecord of ``tensorflow.serving.PredictionLog``
(tensorflow.org/tfx/serving/saved_model_warmup).
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.model_server.loading.servable import DEFAULT_SIGNATURE, Servable
from serving.model_server.serving_error import ServingError, invalid_argument

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST_RECORDS = 1000


def warm_up(servable: Servable, folder: Path) -> int:
    """Run the requests that lie beside the model in ``folder`` and return how many there were (0 without a file).

    Only Predict requests are run; other kinds are left out, as this server does not answer them.

    Raises:
        ServingError: a request fails, the file is broken, or it holds over 1,000 records; the model does not serve.
    """
    path = folder / WARMUP_FILE
    if not path.is_file():
        return 0
    records = 0
    try:
        for record in tf.compat.v1.io.tf_record_iterator(str(path)):
            records += 1
            if records > MOST_RECORDS:
                raise invalid_argument(f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {path}")
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.WhichOneof("log_type") == "predict_log":
                request = log.predict_log.request
                signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
                servable.run(signature, request.inputs, request.output_filter)
    except DecodeError:
        raise invalid_argument(f"Failed to parse warmup record: number {records} from {path}") from None
    except tf.errors.OpError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise ServingError.from_number(error.error_code, message) from None
    return records
