---@meta connectly.types
-- Types for editors (LuaCATS); this file does nothing at run time. `make reference` writes it
-- from the core's tables and the docstrings of this folder: do not edit it.
-- luacheck: ignore 211 212 241
-- luacheck: no max line length

---The message of client:send_template.
---@class connectly.SendTemplate
---@field sender (string|connectly.Party)? the sender, one of your numbers, E.164; default: the client's `sender`, else the API chooses
---@field number string the recipient: E.164 (+16044441234), or bsuid: and a BSUID
---@field template_name string|number exact name of an approved template (client:list_templates)
---@field language string a language in which the template is approved: en, pt_BR
---@field header connectly.TemplateHeader? the value of the header: one of text, image, document, video
---@field body ((string|number)[])? the values of the variables {{1}}, {{2}}, ..., in order: texts or numbers, not empty, without line breaks; exactly as many as the template has
---@field buttons ((string|number|false)[])? suffixes for the URLs of button 1, 2, 3; `false` for a button without one
---@field cards connectly.Card[]? the cards of a carousel, as many as the template has (2 to 10), counted from 1
---@field parameters (connectly.Parameter[]|table<string, string|number|connectly.Parameter>)? parameters by their wire names, as a map or as the API's own list
---@field callback_data any? returned in the webhooks of this message. API: callbackData
---@field campaign_name (string|number)? a tag for analytics
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:send_session.
---@class connectly.SendSession
---@field sender (string|connectly.Party)? the sender, one of your numbers; default: the client's `sender`, else the API chooses
---@field number string? the recipient: E.164, or a BSUID. Give either this or `recipient`
---@field recipient (string|connectly.Party)? the recipient in the API's own form
---@field message connectly.Content? the content in the API's own form
---@field text (string|number)? the text, up to 4096 characters; alone, or above a list, buttons (then up to 1024) or products
---@field image (string|connectly.Media)? an image
---@field video (string|connectly.Media)? a video
---@field audio (string|connectly.Media)? an audio file
---@field document (string|connectly.Media)? a document; its `filename` is shown
---@field location connectly.Location? a pin on the map
---@field list connectly.List? a list to choose from, with `text`
---@field buttons connectly.Button[]? reply buttons, with `text`; WhatsApp shows at most three
---@field product connectly.Product? a product of a catalogue
---@field products table? several products, in the API's own form; `text` is required with it
---@field header (string|connectly.Header)? header of a list or of buttons: a line of text, or for buttons also a medium
---@field footer (string|connectly.Label)? footer of a list, of buttons or of a product: a line below
---@field callback_data any? returned in the webhooks of this message. API: callbackData
---@field campaign_name (string|number)? a tag for analytics
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:send_campaigns.
---@class connectly.SendCampaigns
---@field entries connectly.CampaignEntry[] one entry per recipient, all in one request; a number must not occur twice for the same campaign and version
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:create_webhook.
---@class connectly.CreateWebhook
---@field topic string|number messages, delivery_status or report; one registration per topic
---@field address string receives the POSTs; https
---@field type (string|number)? custom (the default), zapier, webengage or integromat_make
---@field configuration connectly.WebhookConfiguration? selects what is delivered
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:list_webhooks.
---@class connectly.ListWebhooks
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:update_webhook.
---@class connectly.UpdateWebhook
---@field id string|number the id that create_webhook and list_webhooks return
---@field address string? the new address; if absent, it stays unchanged
---@field configuration connectly.WebhookConfiguration? the new configuration; if absent, it stays unchanged
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:delete_webhook.
---@class connectly.DeleteWebhook
---@field id string|number the id
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:create_template.
---@class connectly.CreateTemplate
---@field name string|number lower-case letters, digits and underscores, up to 512
---@field language string|connectly.Language language of its texts: en, pt_BR
---@field category string marketing, utility or authentication, or the API's constant
---@field components table a list: { header = { media = { type = "TYPE_IMAGE", example = { url } } } }, { body = { text = { text = "Hi {{1}}", example = { "Ana" } } } }, { footer = { text = { text = "..." } } }, { button = { quickReply = { text = "..." } } }
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:list_templates.
---@class connectly.ListTemplates
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:quality_signals.
---@class connectly.QualitySignals
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:create_asset.
---@class connectly.CreateAsset
---@field uri string a public URL from which Connectly copies the file
---@field id (string|number)? an id of your own for the asset
---@field metadata connectly.AssetMetadata? who may read it
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:get_asset.
---@class connectly.GetAsset
---@field id string|number the id
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:list_reports.
---@class connectly.ListReports
---@field type string|number the type of report, such as campaign.daily.v1
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---The message of client:request.
---@class connectly.Request
---@field method string|number GET, POST, PUT, ...
---@field path string|number the path after /v1/businesses/{businessId}, with its query
---@field body any? a table, or JSON as a string
---@field traceparent string? W3C Trace Context; sent as a header, not in the body

---who may read an asset
---@class connectly.AssetMetadata
---@field access_control_type string? public (the default), private or cdn_private, or the API's constant

---a medium in the API's own form
---@class connectly.Attachment
---@field type "image"|"video"|"audio"|"document" image, video, audio or document
---@field url string a public URL that needs no login. WhatsApp takes jpeg and png up to 5 MB, mp4 and 3gpp up to 16 MB, aac, amr, mp3, mp4 and ogg (opus) up to 16 MB, documents up to 100 MB
---@field caption (string|number)? shown below the medium, up to 1024 characters; WhatsApp shows none for audio
---@field filename (string|number)? shown to the customer; only for documents

---a reply button
---@class connectly.Button
---@field id string|number returned in the webhook when the customer presses the button; unique, up to 256 characters
---@field text string|number the button's label, unique, up to 20 characters

---one recipient of a campaign; number, name and version must be unique in a request
---@class connectly.CampaignEntry
---@field number string|connectly.Party the recipient, E.164
---@field campaign_name string|number the name of a campaign that is published in Connectly's UI
---@field campaign_version (string|number)? the version of the campaign
---@field sender (string|connectly.Party)? the sender, one of your numbers, E.164; default: the client's `sender`
---@field variables table<string, any>? the campaign's variables by name; numbers become texts
---@field scheduled_at (string|number)? when to start it, such as 2026-12-01T15:00:00Z; not available in every account

---a card of a carousel
---@class connectly.Card
---@field header connectly.CardHeader? the image of the card
---@field body ((string|number)[])? the values of the card's variables, in order: texts or numbers
---@field buttons ((string|number|false)[])? suffixes for the URLs of its buttons, in order; `false` for a button without one

---header of a card
---@class connectly.CardHeader
---@field image string a public URL

---`message` of a session message, by its wire name
---@class connectly.Content
---@field id (string|number)? undocumented; leave it out
---@field text (string|number)? the text; with a list, buttons or products, the text above them
---@field attachments connectly.Attachment[]? one medium
---@field location connectly.Location? a pin on the map
---@field list_message connectly.List? a text with a list to choose from
---@field reply_button_message connectly.ReplyButtons? a text with buttons
---@field single_product_message connectly.Product? a product of a catalogue
---@field multi_product_message table? several products, in the API's own form; `text` is required with it

---header of a list or of reply buttons: exactly one content
---@class connectly.Header
---@field text (string|number)? a line above the text, up to 60 characters
---@field attachment connectly.Attachment? a medium above the text, in the API's own form
---@field image (string|connectly.Media)? an image above the text
---@field video (string|connectly.Media)? a video above the text
---@field document (string|connectly.Media)? a document above the text
---@field filename (string|number)? file name of the document

---a text with an optional id
---@class connectly.Label
---@field id (string|number)? an id of the button, if the API takes one
---@field text string|number the text that is shown

---a language in the API's own form
---@class connectly.Language
---@field code string en, pt_BR

---a list to choose from
---@class connectly.List
---@field header (string|connectly.Header)? a line above the text, up to 60 characters; WhatsApp accepts only a text here
---@field footer (string|connectly.Label)? a line below the text, up to 60 characters
---@field button string|connectly.Label the label of the button that opens the list, up to 20 characters
---@field sections connectly.Section[] the rows, by section; WhatsApp accepts 10 sections

---a pin on the map
---@class connectly.Location
---@field latitude number degrees, north is positive
---@field longitude number degrees, east is positive
---@field name (string|number)? name of the place
---@field address (string|number)? address, one line

---image = {...}, video = {...}, ...: our form of an attachment
---@class connectly.Media
---@field url string a public URL that needs no login. WhatsApp takes jpeg and png up to 5 MB, mp4 and 3gpp up to 16 MB, aac, amr, mp3, mp4 and ogg (opus) up to 16 MB, documents up to 100 MB
---@field caption (string|number)? shown below the medium, up to 1024 characters; WhatsApp shows none for audio
---@field filename (string|number)? shown to the customer; only for documents

---one parameter by its wire name
---@class connectly.Parameter
---@field name (string|number)? one of the names below; omit it when the key of the map is the name
---@field value string|number a text or a number; for media a URL
---@field filename (string|number)? file name for header_document, shown to the customer
---@field raw boolean? true allows a name that the API's pages do not document

---sender and recipient of a session message
---@class connectly.Party
---@field id string E.164, or a BSUID
---@field channel_type (string|number)? default: "whatsapp"
---@field name (string|number)? a display name
---@field user_id (string|number)? a BSUID, as in the API's older pages

---a product of a catalogue
---@class connectly.Product
---@field catalog_id string|number the id of Meta's catalogue
---@field product_item connectly.ProductItem? the product, in the API's own form
---@field product_retailer_id (string|number)? short form of `product_item`: the product's id in the catalogue
---@field footer (string|connectly.Label)? a line below the text

---a product in the API's own form
---@class connectly.ProductItem
---@field product_retailer_id string|number the product's id in the catalogue

---buttons in the API's own form
---@class connectly.ReplyButtons
---@field header (string|connectly.Header)? a line or a medium above the text
---@field footer (string|connectly.Label)? a line below the text, up to 60 characters
---@field buttons connectly.Button[] the buttons; WhatsApp shows at most three

---a row of a list
---@class connectly.Row
---@field id string|number returned in the webhook when the customer chooses the row; unique, up to 200 characters
---@field text string|number the row's label, up to 24 characters
---@field description (string|number)? a line below the label, up to 72 characters

---a section of a list
---@class connectly.Section
---@field title (string|number)? title above its rows, up to 24 characters; required when there are several sections
---@field rows connectly.Row[] the rows to choose from; WhatsApp accepts 10 in all sections together

---header of a template: our form of header_text, header_image, ...
---@class connectly.TemplateHeader
---@field text (string|number)? the header's variable; WhatsApp allows 60 characters in a header
---@field image string? a public URL of a jpeg or png, up to 5 MB
---@field document string? a public URL; give `filename` with it
---@field video string? a public URL of an mp4 or 3gpp, up to 16 MB
---@field filename (string|number)? file name of the document, shown to the customer

---settings for type webengage
---@class connectly.Webengage
---@field webengage_token (string|number)? token of your WebEngage account
---@field webengage_webhook_url string? a URL of WebEngage

---selects what is delivered to a webhook
---@class connectly.WebhookConfiguration
---@field echo boolean? true: topic `messages` also delivers the business's own messages
---@field channel_types string[]? channel types, such as whatsapp
---@field filters connectly.WebhookFilter[]? only events that match are delivered
---@field webengage_configuration connectly.Webengage? only for type webengage

---selects the campaigns to report
---@class connectly.WebhookFilter
---@field field string|number the field to match: campaign_name
---@field expression string|number a name; * matches anything: promo-*

---@alias connectly.Operation "send_template"|"send_session"|"send_campaigns"|"create_webhook"|"list_webhooks"|"update_webhook"|"delete_webhook"|"create_template"|"list_templates"|"quality_signals"|"create_asset"|"get_asset"|"list_reports"|"request"

---what connectly.new makes: failures are raised
---@class connectly.Client
local Client = {}

---Sends a template message. API: template message.
---@param message connectly.SendTemplate
---@return string id the API's id, a ULID
---@return connectly.Info info
function Client:send_template(message) end

---Sends a session (free-form) message, which the API allows within 24 hours of the
---customer's last message. API: session message.
---@param message connectly.SendSession
---@return string id
---@return connectly.Info info
function Client:send_session(message) end

---Starts campaigns that were published in Connectly's UI. Entries:
---{ number =, campaign_name =, campaign_version =, sender =, variables = { name = value },
---scheduled_at = "2026-12-01T15:00:00Z" }. A recipient may occur only once per campaign
---and version. The client checks and encodes all entries, then sends them in chunks of
---100, one request after the other. Later changes to the tables have no effect. `timeout`
---applies to each request. When the API refuses an entry, the call fails, even if the API
---answered 200; the error's `result` tells the outcome of each chunk. A message whose
---metatables compute its contents is sent in one request. When other code raises an error
---midway (a limiter or Ctrl-C, for example), the method raises an error with that one as
---its `cause`. API: campaigns.
---@param message connectly.SendCampaigns
---@param options {chunk_size: integer?}? entries in one request, 1 to 1000; default 100
---@return connectly.Campaigns
---@return connectly.Info info
function Client:send_campaigns(message, options) end

---Registers a webhook: one address per topic. The API refuses a second registration of a topic with
---409; ensure_webhook handles that. Returns its id. API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string id
---@return connectly.Info info
function Client:create_webhook(message) end

---Lists the registered webhooks: { entity = { webhooks = { { id, topic, address, configuration } }
---} }. API: webhooks, registration.
---@param message connectly.ListWebhooks?
---@return any reply decoded
---@return connectly.Info info
function Client:list_webhooks(message) end

---Changes the address or the configuration of a webhook, but not its topic. API: webhooks,
---registration.
---@param message connectly.UpdateWebhook
---@return any reply decoded
---@return connectly.Info info
function Client:update_webhook(message) end

---Removes a webhook. If the reply is lost, the call is retried. If the API then says that there is
---no such webhook, it was removed: the reply is empty, and the status in `info` is 404. API:
---webhooks, registration.
---@param message connectly.DeleteWebhook
---@return any reply decoded
---@return connectly.Info info
function Client:delete_webhook(message) end

---Creates a template. WhatsApp then reviews it, which takes minutes or up to a day. Returns {
---entity = { id, name, category, templates = { { id, language, status, rejectionReason } } } }.
---API: templates.
---@param message connectly.CreateTemplate
---@return any reply decoded
---@return connectly.Info info
function Client:create_template(message) end

---Lists all templates with their status: { entity = { templateGroups = { { name, category,
---templates = { { id, language, status, templateComponents, rejectionReason } } } } } }. A status
---is MESSAGE_TEMPLATE_STATUS_PENDING, _APPROVED, _REJECTED, or one that the API does not document.
---The request is a POST that only reads. API: templates.
---@param message connectly.ListTemplates?
---@return any reply decoded
---@return connectly.Info info
function Client:list_templates(message) end

---Returns the quality and the tier of the business's numbers: { entity = { signals = { {
---whatsappQualitySignals = { phoneNumber, wabaId, messagesLimitTier, qualityScore } } } } }. API:
---quality signals.
---@param message connectly.QualitySignals?
---@return any reply decoded
---@return connectly.Info info
function Client:quality_signals(message) end

---Copies a public file to Connectly's CDN. Returns { asset = { id, uri, source, metadata } }; the
---uri can be used in a header or an attachment. API: assets.
---@param message connectly.CreateAsset
---@return any reply decoded
---@return connectly.Info info
function Client:create_asset(message) end

---Returns the URL of an asset on the CDN: { cdnUri }. API: assets.
---@param message connectly.GetAsset
---@return any reply decoded
---@return connectly.Info info
function Client:get_asset(message) end

---Lists reports and their last runs: { data = { { id, name, type, lastRun = { id, status, result =
---{ url, expiresAt, createdAt } } } } }. A status is processing, completed or failed. The URL of a
---result is valid for about an hour. API: reports.
---@param message connectly.ListReports
---@return any reply decoded
---@return connectly.Info info
function Client:list_reports(message) end

---Performs any other request below /v1/businesses/{businessId}, with the same errors
---and retry rules: { method =, path =, body = a table, or JSON as a string }.
---@param request connectly.Request
---@return any reply the decoded reply; an empty table when the body was empty
---@return connectly.Info info
function Client:request(request) end

---Registers a webhook, or updates the registration that its topic already has.
---`info.change` is "created", "updated" or "none". API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string id
---@return connectly.Info info
function Client:ensure_webhook(message) end

---Starts a call in the background and returns at once: the client's thread performs it.
---Once that thread runs, it performs all calls of the client. An unread result keeps its
---place in the client until the garbage collector frees the call.
---@param operation connectly.Operation
---@param message table
---@return connectly.Call call
function Client:start(operation, message) end

---Starts a call in the background and discards its result, for example in nginx's log
---phase. It keeps no place after it has ended. `on_event` gets its outcome, and `stats`
---counts it. Not for send_campaigns, whose result must be read.
---@param operation connectly.Operation
---@param message table
---@return boolean is_started
function Client:post(operation, message) end

---Sends many messages with a bounded number in flight. Returns an iterator of results in
---order of completion; each has index, message, and id and info, or error. Memory use does
---not grow with the number of messages. Errors of messages are in the results, in connectly
---and in connectly.safe. An error that the source raises is raised after all messages in
---flight have ended.
---@param source table|fun(): table? a list, or a function that returns the next message and nil at the end
---@param options {operation: string?, in_flight: integer?}? default: "send_template", 64
---@return fun(): connectly.Result?
function Client:send_many(source, options) end

---Returns the counters since the first call and the number of calls in flight.
---@return connectly.Stats
function Client:stats() end

---Returns the exact JSON that a call would send. Sends nothing and opens no connection.
---@param operation connectly.Operation any method that sends a request
---@param message table
---@return string body
---@return {method: string, path: string} info
function Client:dry_run(operation, message) end

---Checks a template message, in any form that send_template accepts, against the
---approved templates, and shows what the customer would see. Sends no message. Fetches
---the templates when needed and keeps them for `max_age` seconds.
---API: get templates.
---@param message table
---@param options connectly.TemplateCheckOptions? templates, a saved list; max_age, default 300 seconds; refresh
---@return connectly.TemplateReport report nil when the templates could not be fetched
function Client:check_template(message, options) end

---Waits until webhooks have reported that a message reached the status `until_status`.
---The client and the webhook handler share a status store: see
---connectly.webhook.status_store. When the delivery failed, returns the error from the
---webhook. On timeout returns an error of kind `timeout` with outcome `unknown`; its field
---`delivery` holds the status known so far.
---API: webhooks, topic delivery_status.
---@param id string what the send call returned
---@param timeout number? seconds; 0 checks once without waiting; default: the client's timeout
---@param options {until_status: "sent"|"delivered"|"read"}? default: "read", which customers can turn off
---@return string status until_status, or one beyond it
---@return connectly.DeliveryStatus info
function Client:wait_delivery(id, timeout, options) end

---Closes the client: refuses new calls, waits up to `drain_seconds` for calls in flight,
---ends the rest, closes the connections and overwrites the client's copies of the key
---(memory that libcurl has freed may still hold copies). Later calls fail with kind
---`closed`; the results of earlier calls can still be waited for. Closing a closed client
---has no effect.
---@param drain_seconds number? default: the client's timeout
---@return boolean all_ended false when close had to end calls that were in flight
function Client:close(drain_seconds) end

---what connectly.safe's new makes: failures are returned
---@class connectly.SafeClient
local SafeClient = {}

---Sends a template message. API: template message.
---@param message connectly.SendTemplate
---@return string? id the API's id, a ULID
---@return connectly.Info|connectly.Error
function SafeClient:send_template(message) end

---Sends a session (free-form) message, which the API allows within 24 hours of the
---customer's last message. API: session message.
---@param message connectly.SendSession
---@return string? id
---@return connectly.Info|connectly.Error
function SafeClient:send_session(message) end

---Starts campaigns that were published in Connectly's UI. Entries:
---{ number =, campaign_name =, campaign_version =, sender =, variables = { name = value },
---scheduled_at = "2026-12-01T15:00:00Z" }. A recipient may occur only once per campaign
---and version. The client checks and encodes all entries, then sends them in chunks of
---100, one request after the other. Later changes to the tables have no effect. `timeout`
---applies to each request. When the API refuses an entry, the call fails, even if the API
---answered 200; the error's `result` tells the outcome of each chunk. A message whose
---metatables compute its contents is sent in one request. When other code raises an error
---midway (a limiter or Ctrl-C, for example), the method raises an error with that one as
---its `cause`. API: campaigns.
---@param message connectly.SendCampaigns
---@param options {chunk_size: integer?}? entries in one request, 1 to 1000; default 100
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function SafeClient:send_campaigns(message, options) end

---Registers a webhook: one address per topic. The API refuses a second registration of a topic with
---409; ensure_webhook handles that. Returns its id. API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string? id
---@return connectly.Info|connectly.Error
function SafeClient:create_webhook(message) end

---Lists the registered webhooks: { entity = { webhooks = { { id, topic, address, configuration } }
---} }. API: webhooks, registration.
---@param message connectly.ListWebhooks?
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:list_webhooks(message) end

---Changes the address or the configuration of a webhook, but not its topic. API: webhooks,
---registration.
---@param message connectly.UpdateWebhook
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:update_webhook(message) end

---Removes a webhook. If the reply is lost, the call is retried. If the API then says that there is
---no such webhook, it was removed: the reply is empty, and the status in `info` is 404. API:
---webhooks, registration.
---@param message connectly.DeleteWebhook
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:delete_webhook(message) end

---Creates a template. WhatsApp then reviews it, which takes minutes or up to a day. Returns {
---entity = { id, name, category, templates = { { id, language, status, rejectionReason } } } }.
---API: templates.
---@param message connectly.CreateTemplate
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:create_template(message) end

---Lists all templates with their status: { entity = { templateGroups = { { name, category,
---templates = { { id, language, status, templateComponents, rejectionReason } } } } } }. A status
---is MESSAGE_TEMPLATE_STATUS_PENDING, _APPROVED, _REJECTED, or one that the API does not document.
---The request is a POST that only reads. API: templates.
---@param message connectly.ListTemplates?
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:list_templates(message) end

---Returns the quality and the tier of the business's numbers: { entity = { signals = { {
---whatsappQualitySignals = { phoneNumber, wabaId, messagesLimitTier, qualityScore } } } } }. API:
---quality signals.
---@param message connectly.QualitySignals?
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:quality_signals(message) end

---Copies a public file to Connectly's CDN. Returns { asset = { id, uri, source, metadata } }; the
---uri can be used in a header or an attachment. API: assets.
---@param message connectly.CreateAsset
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:create_asset(message) end

---Returns the URL of an asset on the CDN: { cdnUri }. API: assets.
---@param message connectly.GetAsset
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:get_asset(message) end

---Lists reports and their last runs: { data = { { id, name, type, lastRun = { id, status, result =
---{ url, expiresAt, createdAt } } } } }. A status is processing, completed or failed. The URL of a
---result is valid for about an hour. API: reports.
---@param message connectly.ListReports
---@return any? reply decoded
---@return connectly.Info|connectly.Error
function SafeClient:list_reports(message) end

---Performs any other request below /v1/businesses/{businessId}, with the same errors
---and retry rules: { method =, path =, body = a table, or JSON as a string }.
---@param request connectly.Request
---@return any? reply the decoded reply; an empty table when the body was empty
---@return connectly.Info|connectly.Error
function SafeClient:request(request) end

---Registers a webhook, or updates the registration that its topic already has.
---`info.change` is "created", "updated" or "none". API: webhooks, registration.
---@param message connectly.CreateWebhook
---@return string? id
---@return connectly.Info|connectly.Error
function SafeClient:ensure_webhook(message) end

---Starts a call in the background and returns at once: the client's thread performs it.
---Once that thread runs, it performs all calls of the client. An unread result keeps its
---place in the client until the garbage collector frees the call.
---@param operation connectly.Operation
---@param message table
---@return connectly.SafeCall? call
---@return connectly.Error?
function SafeClient:start(operation, message) end

---Starts a call in the background and discards its result, for example in nginx's log
---phase. It keeps no place after it has ended. `on_event` gets its outcome, and `stats`
---counts it. Not for send_campaigns, whose result must be read.
---@param operation connectly.Operation
---@param message table
---@return boolean? is_started
---@return connectly.Error?
function SafeClient:post(operation, message) end

---Sends many messages with a bounded number in flight. Returns an iterator of results in
---order of completion; each has index, message, and id and info, or error. Memory use does
---not grow with the number of messages. Errors of messages are in the results, in connectly
---and in connectly.safe. An error that the source raises is raised after all messages in
---flight have ended.
---@param source table|fun(): table? a list, or a function that returns the next message and nil at the end
---@param options {operation: string?, in_flight: integer?}? default: "send_template", 64
---@return fun(): connectly.Result?
function SafeClient:send_many(source, options) end

---Returns the counters since the first call and the number of calls in flight.
---@return connectly.Stats
function SafeClient:stats() end

---Returns the exact JSON that a call would send. Sends nothing and opens no connection.
---@param operation connectly.Operation any method that sends a request
---@param message table
---@return string? body
---@return {method: string, path: string}|connectly.Error
function SafeClient:dry_run(operation, message) end

---Checks a template message, in any form that send_template accepts, against the
---approved templates, and shows what the customer would see. Sends no message. Fetches
---the templates when needed and keeps them for `max_age` seconds.
---API: get templates.
---@param message table
---@param options connectly.TemplateCheckOptions? templates, a saved list; max_age, default 300 seconds; refresh
---@return connectly.TemplateReport? report nil when the templates could not be fetched
---@return connectly.Error?
function SafeClient:check_template(message, options) end

---Waits until webhooks have reported that a message reached the status `until_status`.
---The client and the webhook handler share a status store: see
---connectly.webhook.status_store. When the delivery failed, returns the error from the
---webhook. On timeout returns an error of kind `timeout` with outcome `unknown`; its field
---`delivery` holds the status known so far.
---API: webhooks, topic delivery_status.
---@param id string what the send call returned
---@param timeout number? seconds; 0 checks once without waiting; default: the client's timeout
---@param options {until_status: "sent"|"delivered"|"read"}? default: "read", which customers can turn off
---@return string? status until_status, or one beyond it
---@return connectly.DeliveryStatus|connectly.Error
function SafeClient:wait_delivery(id, timeout, options) end

---Closes the client: refuses new calls, waits up to `drain_seconds` for calls in flight,
---ends the rest, closes the connections and overwrites the client's copies of the key
---(memory that libcurl has freed may still hold copies). Later calls fail with kind
---`closed`; the results of earlier calls can still be waited for. Closing a closed client
---has no effect.
---@param drain_seconds number? default: the client's timeout
---@return boolean all_ended false when close had to end calls that were in flight
function SafeClient:close(drain_seconds) end

---a call in the background
---@class connectly.Call
local Call = {}

---Waits for the call to end and returns what the blocking call would have returned.
---When the call has not ended after `timeout` seconds, the error has kind `timeout`;
---wait may be called again.
---@param timeout number? seconds; default: no limit
---@return any value
---@return connectly.Info info
function Call:wait(timeout) end

---Tells whether the call has ended.
---@return boolean
function Call:done() end

---Requests cancellation. The call ends soon after: as canceled, or with its ordinary
---result when that came first. wait returns which, and whether the message may have arrived.
---@return boolean was_under_way
function Call:cancel() end

---the same of a connectly.SafeClient
---@class connectly.SafeCall
local SafeCall = {}

---Waits for the call to end and returns what the blocking call would have returned.
---When the call has not ended after `timeout` seconds, the error has kind `timeout`;
---wait may be called again.
---@param timeout number? seconds; default: no limit
---@return any value
---@return connectly.Info|connectly.Error
function SafeCall:wait(timeout) end

---Tells whether the call has ended.
---@return boolean
function SafeCall:done() end

---Requests cancellation. The call ends soon after: as canceled, or with its ordinary
---result when that came first. wait returns which, and whether the message may have arrived.
---@return boolean was_under_way
function SafeCall:cancel() end

---made by connectly.webhook
---@class connectly.Webhook
local Webhook = {}

---Tells whether a body is from Connectly: the signature must be the base64 of the body's
---HMAC-SHA256 under one of the secrets. The comparison takes constant time. Invalid input
---from the network gives false, never an error. API: webhooks, delivery mechanics.
---@param raw_body string? the body as received, before any decoding
---@param signature any the value of the header x-connectly-hmac-sha256
---@return boolean
function Webhook:verify(raw_body, signature) end

---Parses a body. Every shape that the API's pages show has a kind. Any other body, even one
---that is not JSON, becomes an event of kind `unknown`, with `raw`. Never fails.
---API: webhooks, payloads.
---@param raw_body string
---@return connectly.WebhookEvent
function Webhook:parse(raw_body) end

---made by connectly.webhook.status_store
---@class connectly.StatusStore
local StatusStore = {}

---Stores the status of an event of webhook:parse. Ignores events of other kinds.
---@param event connectly.WebhookEvent
---@return boolean has_changed false when the status was known or outdated, or the event is not a message's status
---@return string? problem why the status could not be kept, when `dict` has no room for it
function StatusStore:put(event) end

---Returns the status of a message.
---@param id string what the send call returned
---@return connectly.DeliveryStatus?
function StatusStore:get(id) end

---From now on sets the signal at each status change that this process makes. The store
---holds the signal weakly: the caller must keep a reference to it.
---@param id string
---@param signal {set: fun(signal: table)}
function StatusStore:watch(id, signal) end

---@class connectly.parts.limiter: connectly.limiter
local part_limiter = {}

---A limiter that all workers of one nginx share. It grants permits up to a quarter of a
---second ahead, so after a 429 other workers may continue for that long. When the
---dictionary has no room for two numbers, no request starts (event `limiter_lost`, with
---the reason; then `limiter_back`).
---@param given connectly.limiter.SharedDictOptions
---@return connectly.Limiter limiter for connectly.new
function part_limiter.shared_dict(given) end

---A limiter shared by all processes that use one Redis (version 5 or newer), on one
---machine or many. Create one per process.
---
---Guarantees: at most `rate` requests start in any second, as long as all processes reach
---the same Redis. After a 429 the other processes stop within a quarter of a second. No
---call fails because Redis is unreachable: each process then stops for 1.3 seconds and
---continues with `fraction` of the rate (event `limiter_lost`, with the reason). The first
---process that reaches Redis again delays all of them by about three seconds, until each
---has had time to notice; then the full rate applies again (event `limiter_back`).
---
---Limits: choose `fraction` so that processes * fraction is at most 1 (and
---rate * fraction at least 1); the limiter cannot check this. The rate may be exceeded
---while some processes reach Redis and others do not, because the others send their
---fraction in addition; for one second after Redis was unreachable without restarting,
---when the first process to ask is one that asked nothing during the outage; and for a
---quarter of a second after Redis's clock was set forward.
---@param given connectly.limiter.RedisOptions?
---@return connectly.Limiter limiter for connectly.new
function part_limiter.redis(given) end

---@class connectly.parts.loop
---@field [string] { attach: fun(client: any): any }
local part_loop = {}

---@class connectly.parts.openresty
local part_openresty = {}

---Creates a content handler for webhooks. It accepts only POST (else 405), bodies of at
---most `max_body` bytes (413) and valid signatures (401). With `dedupe` it handles each
---event once. It runs the handlers and answers 200; when a handler raises an error, it
---answers 500, so that the API delivers the event again. Raises a connectly.Error of kind
---`config` when the options are wrong. API: webhooks, delivery mechanics.
---@param options connectly.openresty.WebhookOptions
---@return fun() handler for content_by_lua
function part_openresty.webhook(options) end

---@class connectly.parts.template
local part_template = {}

---Checks a message against a list of templates: the value that client:list_templates
---returned, or its `templateGroups`, as a table or as decoded JSON. Accepts every form of
---message that client:send_template accepts; what that would refuse is reported among the
---problems. API: get templates, template message.
---@param message table
---@param list table
---@return connectly.TemplateReport report
function part_template.check(message, list) end

---@class connectly.parts.webhook
local part_webhook = {}

---Creates a webhook object. All secrets are accepted, so that one can replace another.
---Raises a connectly.Error of kind `config` when the options are wrong.
---@param options {secret: string?, secrets: string[]?} exactly one of the two; a secret's bytes are used unchanged
---@return connectly.Webhook webhook
function part_webhook.new(options) end

---Creates a store in the memory of this process or, with `dict`, in memory that one nginx's
---workers share. Raises a connectly.Error of kind `config` when the options are wrong.
---@param options connectly.StatusStoreOptions?
---@return connectly.StatusStore store
function part_webhook.status_store(options) end

---@class connectly
---@field limiter connectly.parts.limiter
---@field loop connectly.parts.loop
---@field openresty connectly.parts.openresty
---@field template connectly.parts.template
---@field webhook connectly.parts.webhook
