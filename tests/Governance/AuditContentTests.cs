using System.Security.Cryptography;
using System.Text;

using CsCheck;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Governance;

public sealed class AuditContentTests
{
    [Fact]
    public void The_form_that_is_hashed_is_the_one_that_is_described_and_stays_so()
    {
        var happened = new AuditEvent("01JDCB4Z6H8W4T0V9R5XK2M3NA", new DateTimeOffset(2026, 11, 27, 9, 0, 0, TimeSpan.FromHours(1)).AddTicks(1), "key.created", null, "hub", "agency:umwelt", AuditOutcome.Refused,
            [new("key", "b4\"\\"), new("label", "Größe\n\0")]);
        const string Form = """{"v":1,"id":"01JDCB4Z6H8W4T0V9R5XK2M3NA","at":"2026-11-27T08:00:00.0000001Z","action":"key.created","agency":null,"actor":"hub","object":"agency:umwelt","outcome":"refused","detail":{"key":"b4\"\\","label":"Größe\n\u0000"}}""";
        Assert.Equal(Form, Encoding.UTF8.GetString(AuditContent.Write(happened)));

        // By hand, as somebody without this program would.
        var salt = Enumerable.Range(0, 16).Select(n => (byte)n).ToArray();
        var genesis = SHA256.HashData(Encoding.ASCII.GetBytes("datahub audit chain 1"));
        var leaf = SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(Form)]);
        var link = SHA256.HashData([.. genesis, 0, 0, 0, 0, 0, 0, 0, 1, .. leaf]);
        var entry = AuditChain.Next(AuditHead.Empty, happened, salt);
        Assert.Equal(leaf, entry.Leaf);
        Assert.Equal(link, entry.Link);
        Assert.Equal("a35cd241", Convert.ToHexStringLower(genesis)[..8]);
    }

    [Fact]
    public void What_was_written_is_read_again() => Gen.Select(Gen.String, Gen.String, Gen.Long[0, DateTime.MaxValue.Ticks], Gen.Bool).Sample((a, b, ticks, nobody) =>
    {
        var caller = nobody ? Caller.Public : new Caller("amt", KeyRole.Admin, a);
        var happened = AuditEvents.Of(new DateTimeOffset(Math.Max(ticks, DateTime.UnixEpoch.Ticks), TimeSpan.Zero), caller, "rows.read", nobody ? null : "amt", "dataset:" + b, AuditOutcome.Done, ("z", a), ("a", b), ("none", null));
        Assert.Null(AuditEvents.Fault(happened));
        Assert.Equal(happened, AuditContent.Read(AuditContent.Write(happened)));
    });

    [Fact]
    public void Long_texts_are_cut_and_what_does_not_keep_the_limits_is_named()
    {
        var happened = AuditEvents.Of(AuditLogs.Noon, Caller.Hub, "rows.read", null, new string('x', 1_000), AuditOutcome.Done, ("text", new string('ä', 9_000)));
        Assert.Null(AuditEvents.Fault(happened));
        Assert.Equal((AuditEvents.MaxObjectLength, AuditEvents.MaxDetailLength), (happened.Object.Length, happened.Detail[0].Text.Length));

        var full = AuditEvents.Of(AuditLogs.Noon, Caller.Hub, "rows.read", null, "hub", AuditOutcome.Done, [.. Enumerable.Range(0, 20).Select(n => ($"d{n:D2}", (string?)new string('x', 900)))]);
        Assert.Null(AuditEvents.Fault(full));
        Assert.Equal((AuditEvents.MaxDetails, AuditEvents.MaxDetailsLength), (full.Detail.Length, full.Detail.Sum(detail => detail.Text.Length)));
        Assert.Equal("detail.d08: length", AuditEvents.Fault(full with { Detail = [.. full.Detail.Select(detail => detail with { Text = new string('x', 900) })] }));

        Assert.Equal("action", AuditEvents.Fault(happened with { Action = "Rows Read" }));
        Assert.Equal("id", AuditEvents.Fault(happened with { Id = "" }));
        Assert.Equal("actor", AuditEvents.Fault(happened with { Actor = "a\0" }));
        Assert.Equal("object", AuditEvents.Fault(happened with { Object = "\ud800" }));
        Assert.Equal("detail.b: order", AuditEvents.Fault(happened with { Detail = [new("b", ""), new("b", "")] }));
        Assert.Equal("detail.b", AuditEvents.Fault(happened with { Detail = [new("b", "\udc00")] }));
        Assert.Equal("detail", AuditEvents.Fault(happened with { Detail = [.. Enumerable.Range(0, 17).Select(n => new AuditDetail($"{n:D2}", ""))] }));
    }

    [Fact]
    public void A_head_is_read_as_it_is_shown()
    {
        var head = AuditChain.HeadOf(AuditLogs.Log(3)[^1]);
        Assert.True(AuditHead.TryParse(head.ToString(), out var read));
        Assert.Equal(head, read);
        foreach (var text in new[] { "", ":", "3", "3:ab", "x:" + new string('a', 64), "3:" + new string('g', 64), head + "a", "-" + head }) Assert.False(AuditHead.TryParse(text, out _), text);
    }

    [Fact]
    public void Who_did_it_is_told_by_kind()
    {
        Assert.Equal("hub", AuditEvents.Actor(Caller.Hub));
        Assert.Equal("public", AuditEvents.Actor(Caller.Public));
        Assert.Equal("key:umwelt.b4Xk29Qz", AuditEvents.Actor(new("umwelt", KeyRole.Push, "b4Xk29Qz")));
    }
}
