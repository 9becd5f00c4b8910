-- Reads the fixture files, which the C tests read too.

local cjson = require "cjson"

local fixtures = {}

--- All JSON files of a folder below spec/fixtures, in order of their names.
--- A folder without any is an error: a test that reads nothing cannot fail.
function fixtures.read(folder)
  local list = {}
  local listing = assert(io.popen("ls spec/fixtures/" .. folder .. "/*.json"))
  for path in listing:lines() do
    local file = assert(io.open(path, "rb"))
    local fixture = cjson.decode(file:read("*a"))
    file:close()
    fixture.file = path:match("([^/]+)%.json$")
    list[#list + 1] = fixture
  end
  listing:close()
  assert(#list > 0, "no fixtures in " .. folder)
  return list
end

return fixtures
