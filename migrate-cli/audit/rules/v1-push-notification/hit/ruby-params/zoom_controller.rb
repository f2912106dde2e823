class ZoomController < ApplicationController
  def notify
    room = Room.find_by(uuid: params[:uuid])
    case params[:status]
    when "STARTED" then room.open!
    when "ENDED" then room.close!
    end
    head :ok
  end
end
