# zoom_client.user_list lists the people
class Room
end
