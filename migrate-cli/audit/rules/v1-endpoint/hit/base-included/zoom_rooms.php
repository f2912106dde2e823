<?php
include 'transport.php';

class Rooms
{
    public function open($host)
    {
        $fields = array();
        $fields['host_id'] = $host;
        $fields['option_jbh'] = true;
        return $this->transport->ask('meeting/create', $fields);
    }

    public function all($host)
    {
        return $this->transport->ask('meeting/list', array('host_id' => $host));
    }
}
