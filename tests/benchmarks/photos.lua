-- What wrk sends: photos, one after the other. Its arguments are the mean pause before each of a
-- connection's requests, in milliseconds, and the photos' paths.
local requests, at, pause = {}, 0, 0

function init(arguments)
   pause = tonumber(table.remove(arguments, 1))
   for _, path in ipairs(arguments) do
      local file = assert(io.open(path, "rb"))
      requests[#requests + 1] = wrk.format("POST", "/classify", nil, file:read("*a"))
      file:close()
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function delay()
   return math.random(0, 2 * pause)
end

function done(summary, latency, _)
   local errors = summary.errors
   print(string.format("FIGURES %d %d %d %d %d %d", summary.duration, summary.requests,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
