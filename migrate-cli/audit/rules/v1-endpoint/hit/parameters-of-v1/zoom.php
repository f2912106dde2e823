<?php
function create($room)
{
    $data = array('host_id' => $room->host);
    $data['option_jbh'] = 'true';
    return ask_rooms('meeting/create', $data);
}
