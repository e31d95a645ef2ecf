import { createClient } from "@connectrpc/connect";
import { GRPCInferenceService } from "@sluice/protos";
import { runCall } from "./call.ts";

/** From Times Square to John F. Kennedy airport, two people. */
const TRIP = {
  pickup_latitude: 40.758,
  pickup_longitude: -73.9855,
  dropoff_latitude: 40.6413,
  dropoff_longitude: -73.7781,
};

/** `npm run grpc:predict`: one prediction by the Open Inference Protocol. */
await runCall("grpc:predict", async (transport) => {
  const degrees = Object.entries(TRIP).map(([name, value]) => ({
    name,
    datatype: "FP64",
    shape: [1n],
    contents: { fp64Contents: [value] },
  }));
  const client = createClient(GRPCInferenceService, transport);
  const answer = await client.modelInfer({
    modelName: "taxi-fare",
    id: "grpc:predict",
    inputs: [
      ...degrees,
      { name: "passenger_count", datatype: "INT64", shape: [1n], contents: { int64Contents: [2n] } },
      {
        name: "pickup_datetime",
        datatype: "BYTES",
        shape: [1n],
        contents: { bytesContents: [Buffer.from("2015-05-07 19:52:06")] },
      },
    ],
  });
  const [fare, extrapolated] = answer.outputs;
  return {
    fare_amount: fare?.contents?.fp64Contents[0],
    extrapolated: extrapolated?.contents?.boolContents[0],
    model: { name: answer.modelName, version: answer.modelVersion },
    color: answer.parameters.color?.parameterChoice.value,
  };
});
