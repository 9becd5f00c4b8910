--- How many instructions a message costs, which no other program on the machine changes.
---
--- Measured: send_many over TLS to a local nginx, 64 in flight, on Lua 5.4 under callgrind:
--- the slope between two run lengths, so that the start does not count.
---
--- Goal: at most 1.45 times a tight loop on libcurl from C over HTTP/1.1 (106,000
--- instructions) and 1.35 times over HTTP/2 (146,000), with libcurl 7.88 and OpenSSL 3.0.
--- Fails above 5 % more than the last figures reached, 150,400 and 195,600. Other versions of
--- libcurl and OpenSSL have other figures: with these it only prints.
---
---   LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" lua5.4 spec/bench/instructions.lua

local native = require "connectly.loader"
local server = require "spec.bench.server"
local shell = require "spec.bench.shell"

local SHORT, LONG = 1000, 3000 -- messages
local REACHED = { ["1"] = 150400, ["2"] = 195600 }
local CONNECTIONS = { ["1"] = 64, ["2"] = 4 }
local MARGIN = 1.05

local function is_known_library()
  local versions = native.versions()
  return versions.libcurl:find("^7%.88%.") and versions.tls:find("^OpenSSL/3%.0%.")
end

local function collected(folder, url, directory, count, version)
  shell.read(("valgrind --tool=callgrind --callgrind-out-file=%s/out lua5.4 spec/bench/send_many.lua %s %d 100 64 %d %s %s"
    .. " 2>%s/log"):format(folder, url, count, CONNECTIONS[version], version, directory, folder))
  local file = assert(io.open(folder .. "/log"))
  local log = file:read("*a")
  file:close()
  return assert(tonumber(log:match("Collected : (%d+)")), log)
end

local function main(folder)
  local running = server.start(folder)
  local directory = server.trust_directory(folder, running)
  local is_good = true
  for _, version in ipairs { "1", "2" } do
    local short = collected(folder, running.url, directory, SHORT, version)
    local a_message = (collected(folder, running.url, directory, LONG, version) - short) / (LONG - SHORT)
    local most = REACHED[version] * MARGIN
    print(("instructions a message, HTTP/%s x64: %.0f, at most %.0f"):format(version, a_message, most))
    is_good = is_good and a_message <= most
  end
  running.process:stop()
  return is_good or not is_known_library()
end

local folder = shell.read("mktemp -d"):gsub("%s+$", "")
local is_fine, is_good = pcall(main, folder)
shell.read("rm -rf " .. shell.quote(folder))
assert(is_fine, is_good)
os.exit(is_good and 0 or 1)
