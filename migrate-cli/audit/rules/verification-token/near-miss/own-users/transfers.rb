# Files of Zoom meetings arrive by a webhook of the storage.
class TransferWebhook < ApplicationController
  before_action :sign_in, if: -> { request.headers['Authorization'].present? }
end
