--- Cold start: how long a Lua script takes to send one message over TLS, from process start
--- to exit.
---
--- Measured: wall time of send_one.lua, on Lua 5.4 and on LuaJIT, relative to a curl command
--- that sends the same message to the same server on loopback (server.lua). Both use the
--- system's trust store, which they find by their own defaults. For orientation only:
--- interpreters that do nothing, interpreters that only require the module, and a minimal C
--- program on libcurl (minimal.c).
---
--- Method: the commands run in turn (stopwatch.c). Reported are medians, and the median of the
--- per-round ratios. A CA of the benchmark signs the server's certificate. The benchmark copies
--- the system's store, adds that CA to the directory and the bundle, and mounts the copy over
--- the store in a mount namespace for the commands. Where mounting is not allowed, the commands
--- get the copy by options, and the output says so.
---
--- Goal: at most 0.40 of the curl command's time.
---
---   make build && LUA_PATH="lua/?.lua;lua/?/init.lua;?.lua;;" lua5.4 spec/bench/cold_start.lua [rounds]

local measure = require "spec.bench.measure"
local server = require "spec.bench.server"
local shell = require "spec.bench.shell"

local GOAL = 0.40
local ROUNDS = tonumber(arg[1]) or 40
local STORE = "/etc/ssl/certs"
local ID = "^%w+$"
local PATH = "/v1/businesses/business/send/whatsapp_templated_messages"
local BODY = [[{"number":"+16044441234","templateName":"order_confirmation","language":"en","parameters":[]]
  .. [[{"name":"header_image","value":"https://cdn.example.com/images/orders/confirmation-1.jpg"},]]
  .. [[{"name":"body_1","value":"John"},{"name":"body_2","value":"Order #98765"},]]
  .. [[{"name":"button_1_url_suffix","value":"track/98765"}]}]]

local build = os.getenv("BUILD") or "build"
local tools = build .. "/bench"
local lua54, luajit = os.getenv("LUA54") or "lua5.4", os.getenv("LUAJIT") or "luajit"

--- Both Luas in one environment: the names with a version are the other's.
local function environment()
  local path = "lua/?.lua;lua/?/init.lua;;"
  return ("LUA_PATH_5_4=%s LUA_CPATH_5_4=%s LUA_PATH=%s LUA_CPATH=%s"):format(
    shell.quote(path), shell.quote(build .. "/5.4/?.so;;"), shell.quote(path), shell.quote(build .. "/5.1/?.so;;"))
end

local function compile()
  local compiler = os.getenv("CC") or "cc"
  shell.read("mkdir -p " .. shell.quote(tools))
  shell.read(("%s -O2 -o %s/stopwatch spec/bench/stopwatch.c"):format(compiler, tools))
  shell.read(("%s -O2 -o %s/minimal spec/bench/minimal.c -lcurl"):format(compiler, tools))
end

--- The system's store with one more CA, as update-ca-certificates would add it.
local function copy_store(folder, ca_file)
  local copy = folder .. "/certs"
  shell.read(([[cp -a %s %s && cp %s %s/benchmark.pem &&
ln -s benchmark.pem %s/$(openssl x509 -hash -noout -in %s).0 && cat %s >>%s/ca-certificates.crt]]):format(
    STORE, copy, ca_file, copy, copy, ca_file, ca_file, copy))
  return copy
end

--- The command that gives another one a mount namespace, or nil.
local function find_namespace(copy)
  local mount = ("mount --bind %s %s && "):format(shell.quote(copy), STORE)
  for _, unshare in ipairs { "unshare --mount", "unshare --map-root-user --mount" } do
    if shell.try(("%s sh -c %s"):format(unshare, shell.quote(mount .. "true"))) then
      return function(command)
        return ("%s sh -c %s"):format(unshare, shell.quote(mount .. command))
      end
    end
  end
  return nil
end

local function curl_command(running, folder, bundle)
  local command = {
    "curl", "-sS", "-o", "/dev/null", "-X", "POST", "-H", "X-API-Key: key", "-H", "Content-Type: application/json",
    "--data", "@" .. folder .. "/body.json", running.url .. PATH,
  }
  if bundle then
    table.insert(command, 2, "--cacert")
    table.insert(command, 3, bundle)
  end
  return command
end

local function ours(lua, running, directory)
  return { lua, "spec/bench/send_one.lua", running.url, directory }
end

--- Every command: its name, itself, and whether it has a goal. The first is the yardstick.
local function commands_of(running, folder, copy, is_default)
  local directory = not is_default and copy or nil
  return {
    { "curl command", curl_command(running, folder, not is_default and copy .. "/ca-certificates.crt" or nil) },
    { "one message, Lua 5.4", ours(lua54, running, directory), GOAL },
    { "one message, LuaJIT", ours(luajit, running, directory), GOAL },
    { "minimal C program, hashed directory", { tools .. "/minimal", running.url .. PATH, BODY, copy } },
    { "only require \"connectly\", Lua 5.4", { lua54, "-e", "require 'connectly'" } },
    { "only require \"connectly\", LuaJIT", { luajit, "-e", "require 'connectly'" } },
    { "nothing, Lua 5.4", { lua54, "-e", "" } },
    { "nothing, LuaJIT", { luajit, "-e", "" } },
  }
end

--- Each does what it is measured for: curl is told to fail where it would not.
local function verify(inside, commands)
  shell.read(inside(shell.join(commands[1][2]) .. " --fail"))
  for index = 2, 3 do
    local id = shell.read(inside(environment() .. " " .. shell.join(commands[index][2])))
    assert(id:match(ID), "an id was expected, got " .. id)
  end
end

local function time_commands(inside, commands)
  local line = { tools .. "/stopwatch", tostring(ROUNDS) }
  local wall, cpu = {}, {}
  for index, command in ipairs(commands) do
    line[#line + 1] = index > 1 and "--" or nil
    table.move(command[2], 1, #command[2], #line + 1, line)
    wall[index], cpu[index] = {}, {}
  end
  local output = shell.read(inside(environment() .. " " .. shell.join(line)))
  for number, elapsed, used in output:gmatch("(%d+) (%d+) (%d+)") do
    local index = tonumber(number)
    table.insert(wall[index], tonumber(elapsed))
    table.insert(cpu[index], tonumber(used))
  end
  return wall, cpu
end

local function report(commands, wall, cpu)
  for index, command in ipairs(commands) do
    local time = ("%.1f (%.1f) ms"):format(measure.quantile(wall[index]) / 1e3, measure.quantile(cpu[index]) / 1e3)
    measure.print_line(command[1], time, measure.ratio(wall[index], wall[1]), command[3])
  end
end

local function bench(folder, running)
  shell.write(folder .. "/body.json", BODY)
  local copy = copy_store(folder, running.ca_file)
  local namespace = find_namespace(copy)
  local commands = commands_of(running, folder, copy, namespace ~= nil)
  local inside = namespace or function(command)
    return command
  end
  verify(inside, commands)
  print(("cold start, server %s, %d rounds, certificates %s; wall (CPU) time; the ratio is to curl"):format(
    running.name, ROUNDS, namespace and "found by default" or "BY OPTIONS: no mount namespace here"))
  report(commands, time_commands(inside, commands))
end

local function main()
  compile()
  local folder = shell.read(("mktemp -d \"$PWD\"/%s/cold.XXXXXX"):format(tools))
  local is_started, running = pcall(server.start, folder)
  local is_fine, problem = is_started, running
  if is_started then
    is_fine, problem = pcall(bench, folder, running)
    running.process:stop()
  end
  shell.read("rm -rf " .. shell.quote(folder))
  assert(is_fine, problem)
end

main()
