<?php
class People {
  public function __construct(Conferences $conferences) { $this->service = $conferences; }
  public function all() { return $this->service->user_list(['page_size' => 100]); }
  public function one($id) { return (new Conferences($this->key))->user->get(['id' => $id]); }
}
