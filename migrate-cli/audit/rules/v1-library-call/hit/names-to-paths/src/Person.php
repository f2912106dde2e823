<?php
trait Person
{
    public function openAccount(array $data)
    {
        $zoom = app('zoom');
        $person = $zoom->user->custcreate($data);
        $zoom->group->member->add(['id' => $this->group, 'member_ids' => $person->id]);
        $this->user->update($data);
    }
}
