import { mount } from "svelte";
import "./app.css";
import Login from "./Login.svelte";

const target = document.getElementById("app");
if (target === null) throw new Error("no #app in the page");
mount(Login, { target });
