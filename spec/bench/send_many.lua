--- The script whose throughput is measured: send_many at full speed, with a new table for each
--- message.
---
---   lua send_many.lua BASE_URL COUNT WARM_UP IN_FLIGHT CONNECTIONS HTTP_VERSION DIRECTORY
---
--- Prints CPU and wall time per message, in microseconds, of the COUNT messages that follow the
--- WARM_UP, and the CPU time of only building such a message.

local connectly = require "connectly"
local messages = require "spec.bench.messages"

local count, warm_up = tonumber(arg[2]), tonumber(arg[3])
local in_flight, connections = tonumber(arg[4]), tonumber(arg[5])
local total = count + warm_up

local client = connectly.new {
  api_key = "key", business_id = "business", base_url = arg[1], ca_path = arg[7], http2 = arg[6] == "2",
  rate = 100000, max_in_flight = in_flight, max_connections = connections,
  connect_timeout = 30, -- under callgrind, 64 handshakes take longer than the default
}

local sent = 0
local function source()
  sent = sent + 1
  return sent <= total and messages.fresh(sent) or nil
end

--- Seconds, to a hundredth; Lua has no wall clock finer than a second.
local function wall_clock()
  local file = assert(io.open("/proc/uptime"))
  local seconds = file:read("*n")
  file:close()
  return seconds
end

local ended, cpu, wall = 0, 0, 0
for result in client:send_many(source, { in_flight = in_flight }) do
  if result.error then
    error(result.error, 0)
  end
  ended = ended + 1
  if ended == warm_up then
    collectgarbage()
    cpu, wall = os.clock(), wall_clock()
  end
end
cpu, wall = os.clock() - cpu, wall_clock() - wall
client:close()

local building = os.clock()
for seed = 1, count do
  messages.fresh(seed)
end
building = os.clock() - building
local scale = 1e6 / count
print(("%.2f %.2f %.2f"):format(cpu * scale, wall * scale, building * scale))
