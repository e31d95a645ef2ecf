-- One trip, as clients of the model API send it.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"data":[{"pickup_latitude":40.758,"pickup_longitude":-73.9855,"dropoff_latitude":40.6413,"dropoff_longitude":-73.7781,"passenger_count":2}]}'
