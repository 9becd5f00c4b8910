-- The Lua snippets of README.md and of the guides compile on the Lua under test and do what they
-- say against a sandbox, except those that only run in another host. So do the shell snippets.

local cli = require "spec.support.cli"
local connectly = require "connectly"
local process = require "spec.support.process"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"
local snippets = require "spec.support.snippets"

-- Snippets of other hosts, by what stands in them, and where they are run instead.
local ELSEWHERE = {
  ['require "luv"'] = "below", ["connectly.limiter."] = "nginx/readme_spec",
  ["connectly.openresty."] = "nginx/readme_spec",
}

local CUSTOMER = "+16044441234"

-- The vector of the API's documentation. API: webhooks, delivery mechanics.
local SECRET = "example-secret"
local BODY = '{"topic":"delivery_status","timestamp":"1700000000","statusUpdate":'
  .. '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","status":"read","error":null}}'
local SIGNATURE = "Ldm2bkiSUSrrEKHejpUgQcwcaM6RcUfpQ9dCNKpVPiU="

-- Whatever was sent has been read: what webhooks would have told is not these tests' matter.
local STATUSES = { interval = 0.01, get = function() return { status = "read" } end }

local function elsewhere(snippet)
  for mark, where in pairs(ELSEWHERE) do
    if snippet.source:find(mark, 1, true) then
      return where
    end
  end
end

describe("README.md and the guides:", function()
  local sandbox, clients

  setup(function()
    sandbox = sandboxes.start { port = 0 }
  end)

  teardown(function()
    sandbox:stop()
  end)

  local card = { header = "image", body = 1, buttons = 1 }

  before_each(function()
    clients = {}
    sandbox:reset()
    sandbox:inbound { number = CUSTOMER }
    sandbox:template { name = "autumn", language = "en", header = "any", body = 2, buttons = { 2 }, cards = { card, card } }
  end)

  after_each(function()
    for _, client in ipairs(clients) do
      client:close(5)
    end
  end)

  --- A face of the library whose clients go to the sandbox, whatever they are told.
  local function with_sandbox(face)
    local function new(options)
      if options then
        options.ca_file, options.ca_path = nil, nil -- which are read
        options.proxy_ca_file, options.proxy_ca_path = nil, nil
        assert(face.new(options), "its options are refused")
      end
      local client = assert(face.new {
        api_key = sandbox.api_key, business_id = sandbox.business_id, base_url = sandbox.base_url,
        on_event = options and options.on_event, status_store = STATUSES,
      })
      clients[#clients + 1] = client
      return client
    end
    return setmetatable({ new = new }, { __index = face })
  end

  --- What a reader is taken to have.
  local function surroundings(printed)
    local webhook = require "connectly.webhook"
    local replaced = {
      ["connectly"] = with_sandbox(connectly), ["connectly.safe"] = with_sandbox(safe),
      ["resty.http"] = { new = function() return { request_uri = function() return nil, "timeout" end } end },
      ["connectly.webhook"] = setmetatable({ new = function() return webhook.new { secret = SECRET } end },
        { __index = webhook }),
    }
    local message = { number = CUSTOMER, template_name = "hello", language = "en", body = { "Ana" } }
    return {
      require = function(name) return replaced[name] or require(name) end,
      connectly = replaced["connectly"], client = replaced["connectly"].new(), store = STATUSES,
      url = sandbox.base_url, headers = {}, body = BODY, cjson = require "cjson",
      message = message, messages = { message, message }, timeout = 10, raw_body = BODY, signature = SIGNATURE,
      print = function(...) printed[#printed + 1] = table.concat({ ... }, " ") end,
      log = function(...) error(table.concat({ ... }, " "), 0) end,
    }
  end

  for _, snippet in ipairs(snippets.read_documents()) do
    it(("it compiles (%s:%d)"):format(snippet.path, snippet.line), function()
      assert.is_function(snippets.compile(snippet))
    end)

    if not elsewhere(snippet) then
      it(("it does what it says (%s:%d)"):format(snippet.path, snippet.line), function()
        local is_fine, problem = pcall(snippets.run, snippet, surroundings {})
        assert(is_fine, tostring(problem))
      end)
    end
  end

  --- The one snippet with a text in it, run: what it printed, and what was sent.
  local function run_with(mark)
    for _, snippet in ipairs(snippets.read_documents()) do
      if snippet.source:find(mark, 1, true) and not elsewhere(snippet) then
        local printed = {}
        snippets.run(snippet, surroundings(printed))
        return printed, (sandbox:deliveries())
      end
    end
    error("neither README.md nor a guide has a snippet with " .. mark)
  end

  it("sends what it begins with, and prints its id", function()
    local printed, deliveries = run_with 'template_name = "order_confirmation"'
    assert.equal(1, #deliveries)
    assert.same({ deliveries[1].id }, printed)
  end)

  it("shows a failure as the library tells of it", function()
    local printed, deliveries = run_with "langauge"
    assert.equal("argument not_sent correct the named field and send again", printed[1])
    assert.equal("langauge unknown field; did you mean `language`?", printed[2])
    assert.truthy(printed[3]:find("number a number in E.164 expected: ", 1, true), printed[3])
    assert.equal(0, #deliveries)
  end)

  it("shows what one writes by hand with lua-resty-http", function()
    local source
    for _, snippet in ipairs(snippets.read "README.md") do
      source = snippet.source:find("resty.http", 1, true) and snippet.source or source
    end
    for _, case in ipairs {
      { true, nil, "timeout" }, { true, nil, "closed" }, { false, nil, "connection refused" },
      { false, { status = 429, body = "" } }, { false, { status = 400, body = "{}" } }, { true, { status = 500, body = "" } },
      { false, { status = 200, body = '{"id":"x"}' } }, { true, { status = 200, body = "<html>" } },
      { true, { status = 200, body = "7" } },
    } do
      local names = surroundings {}
      names.require = function()
        return { new = function() return { request_uri = function() return case[2], case[3] end } end }
      end
      local snippet = { source = source .. "\nreturn in_doubt", path = "README.md", line = 1 }
      assert.equal(case[1], snippets.run(snippet, names))
    end
  end)

  it("shows a message that arrived without a reply", function()
    local printed, deliveries = run_with "+15005550201"
    assert.same({ "network unknown" }, printed)
    assert.equal(1, #deliveries)
  end)

  it("sends all that it has in a loop", function()
    assert.equal(2, #select(2, run_with "client:send_many"))
  end)

  it("reads a webhook", function()
    assert.same({ "status 01ARZ3NDEKTSV4RRFFQ69G5FAV read" }, (run_with "webhook:verify"))
  end)

  -- ---- shell ----

  --- The shell snippets: the lines of each, without comments, and where it is.
  local function shell_snippets()
    local blocks = snippets.blocks "sh"
    for _, block in ipairs(blocks) do
      block.lines = {}
      for line in block.source:gmatch("[^\n]+") do
        block.lines[#block.lines + 1] = line:gsub("%s+#.*$", "")
      end
    end
    assert(#blocks > 3, "there is hardly any shell")
    return blocks
  end

  local MESSAGE = '{"number":"+16044441234","template_name":"any_hello","language":"en","body":["Ana"]}'

  -- What a reader would have in place of what stands there; a port that is certainly free.
  local function for_here(line, place)
    if line == "connectly sandbox" then
      return line .. " --port 0"
    end
    local text = line:gsub("message%.json", place.message):gsub("< body", "< " .. place.body):gsub("'…'", "'" .. SIGNATURE .. "'")
      :gsub("=…", "=" .. SECRET):gsub("%-%-port 8078", "--port 0"):gsub("%./certificates", place.certificates)
    return (text:gsub("http://127%.0%.0%.1:8078", place.listener or "http://127.0.0.1:8078"))
  end

  --- A shell whose `connectly` and `lua` are those of this tree, as a command.
  local function in_shell(line, exports)
    local program = {}
    for index, word in ipairs(sandboxes.program()) do
      program[index] = process.quote(word)
    end
    local settings = ("export CONNECTLY_API_KEY=%s CONNECTLY_BUSINESS_ID=%s CONNECTLY_BASE_URL=%s"):format(
      process.quote(sandbox.api_key), process.quote(sandbox.business_id), process.quote(sandbox.base_url))
    return table.concat({
      "unset LD_PRELOAD", settings, "connectly() { exec timeout 60 " .. table.concat(program, " ") .. ' "$@"; }',
      ("lua() { exec timeout 60 %s \"$@\"; }"):format(process.quote(os.getenv "CONNECTLY_SPEC_LUA" or "lua5.4")),
      exports, line,
    }, "\n")
  end

  --- Runs a line; what goes on until it is stopped is left running. What it printed.
  local function run_line(line, exports, servers)
    if line:find("^connectly sandbox") or line:find("^connectly webhook listen") then
      local server = process.start {
        command = { "sh", "-c", in_shell(line .. " 2>&1", exports) }, ready = "^listening on (https?://%S+)$",
      }
      servers[#servers + 1] = server
      return server.captured, server
    end
    local text = process.capture("sh -c " .. process.quote(in_shell(line, exports)) .. " 2>&1 </dev/null; echo exit=$?")
    local output, code = text:match("^(.*)exit=(%d+)\n$")
    assert(code == "0", line .. "\n" .. text)
    return output
  end

  local function run_block(lines, place, servers)
    local exports, printed, listening = "", {}, nil
    for _, line in ipairs(lines) do
      line = for_here(line, place)
      local target = line:match("^make (%S+)$")
      if target then -- which is what runs this, and what CI runs
        assert.equal("", process.capture("make -n " .. target .. " 2>&1 >/dev/null"))
      elseif line:find("^export ") then
        exports = exports .. line .. "\n"
      else
        local output, server = run_line(line, exports, servers)
        place.listener = server and line:find(" listen ") and output:gsub("/$", "") or place.listener
        listening = server and line:find(" listen ") and server or listening
        printed[#printed + 1] = output
      end
    end
    return printed, listening and listening:read_line()
  end

  for _, block in ipairs(shell_snippets()) do
    local lines = block.lines
    it(("it runs in a shell (%s:%d)"):format(block.path, block.line), function()
      local directory = process.capture("mktemp -d"):match("%S+")
      local place = { message = cli.file(MESSAGE), body = cli.file(BODY), certificates = directory }
      local servers = {}
      local is_fine, printed, told = pcall(run_block, lines, place, servers)
      for _, server in ipairs(servers) do
        server:stop()
      end
      os.remove(place.message)
      os.remove(place.body)
      os.execute("rm -r " .. directory)
      assert(is_fine, printed)
      if table.concat(lines):find("list-templates", 1, true) then
        local deliveries = sandbox:deliveries()
        assert.equal(1, #deliveries)
        assert.equal(deliveries[1].id .. "\n", printed[1])
        assert.matches('"templateName":"any_hello"', printed[2])
        assert.matches("^%S+\n$", printed[3])
        assert.matches('"templateGroups"', printed[4])
      elseif table.concat(lines):find("webhook listen", 1, true) then
        assert.matches('"id":"01HF7YAT006Y5M4Q8Z9K3R1T2V"', told)
      end
    end)
  end

  -- ---- links, and names in the texts ----

  local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end

  --- The anchors that GitHub gives the headings of a file.
  local function anchors_of(path)
    local anchors = {}
    for heading in ("\n" .. read(path)):gmatch("\n#+ ([^\n]+)") do
      anchors[heading:lower():gsub("[^%w%s_%-]", ""):gsub("%s", "-")] = true
    end
    return anchors
  end

  local texts = snippets.documents()
  for _, path in ipairs { "CONTRIBUTING.md", "SECURITY.md", "spec/README.md" } do
    texts[#texts + 1] = path
  end

  --- The path without `folder/..` and `./`.
  local function normal(path)
    local before
    repeat
      before = path
      path = path:gsub("[^/]+/%.%./", "", 1)
    until path == before
    return path
  end

  for _, path in ipairs(texts) do
    it("links to what is there: " .. path, function()
      local folder = path:match("^(.*/)") or ""
      for address in read(path):gsub("\n```.-\n```", ""):gmatch("%]%(([^)]*)%)") do
        local file, anchor = address:match("^([^#]*)#?(.*)$")
        if not address:find("^https://") then
          file = file == "" and path or normal(folder .. file)
          local found = assert(io.open(file), ("%s links to %s, which is not there"):format(path, address))
          found:close()
          assert(anchor == "" or anchors_of(file)[anchor], ("%s links to %s, a heading that is not there"):format(path, address))
        end
      end
    end)

    it("names only targets and files that are there: " .. path, function()
      local makefile = read("Makefile")
      for target in read(path):gmatch("[`\n]make ([%l%d-]+)") do
        assert(makefile:find("\n" .. target:gsub("%-", "%%-") .. ":"), path .. " names an unknown target: " .. target)
      end
      for name in read(path):gmatch("`([%l_/]+/[%w_/]+%.%w+)`") do
        local found = io.open(name) or io.open("spec/" .. name) or io.open("lua/" .. name)
        assert(found, ("%s names %s, which is not there"):format(path, name)):close()
      end
    end)
  end

  --- luv must not be loaded by what unloads its modules, as busted does.
  it("sends in luv's loop", function()
    local source
    for _, snippet in ipairs(snippets.read_documents()) do
      source = snippet.source:find('require "luv"', 1, true) and snippet.source or source
    end
    sandbox:template { name = "order", language = "en" }
    local path = cli.file(source)
    local printed = process.capture(("CONNECTLY_API_KEY=%s CONNECTLY_BUSINESS_ID=%s CONNECTLY_BASE_URL=%s %s %s 2>&1"):format(
      process.quote(sandbox.api_key), process.quote(sandbox.business_id), process.quote(sandbox.base_url),
      "timeout 20 " .. process.quote(os.getenv "CONNECTLY_SPEC_LUA" or "lua5.4"), path))
    os.remove(path)
    assert.truthy(printed:find("^%w+\n$") and #printed == 27, printed)
  end)
end)
