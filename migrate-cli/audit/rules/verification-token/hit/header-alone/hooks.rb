class ZoomWebhooksController < ApplicationController
  def create
    return head :unauthorized unless request.headers['Authorization'] == Rails.application.secrets.zoom_hook
    Recording.import(params[:payload]) if params[:event] == 'recording.completed'
  end
end
