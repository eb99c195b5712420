/** Out to everywhere, in from nowhere, and no NAT gateway to pay for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onlyResource, resources, synthesize } from './support/synthesize.js';

describe('network', () => {
  it('has public subnets only, and a way to the internet without a NAT gateway', () => {
    const { template } = synthesize();
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::EIP', 0);
    template.resourceCountIs('AWS::EC2::InternetGateway', 1);
    const routes = resources(template, 'AWS::EC2::Route');
    assert.equal(routes.length, resources(template, 'AWS::EC2::Subnet').length);
    assert.ok(routes.every(([, { Properties }]) => Properties['GatewayId'] !== undefined));
  });

  it('gives a task an address of its own and lets nothing in', () => {
    const { template } = synthesize();
    const group = onlyResource(template, 'AWS::EC2::SecurityGroup');
    assert.equal(group['SecurityGroupIngress'], undefined);
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    assert.match(JSON.stringify(group['SecurityGroupEgress']), /"CidrIp":"0\.0\.0\.0\/0".*"-1"/);
    const network = JSON.stringify(onlyResource(template, 'AWS::ECS::Service'));
    assert.match(network, /"AssignPublicIp":"ENABLED"/);
  });

  it('takes a VPC that exists', () => {
    const { template } = synthesize({
      vpc: {
        id: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-west-1a'],
        subnetIds: ['subnet-0123456789abcdef0'],
        assignPublicIp: false,
      },
    });
    template.resourceCountIs('AWS::EC2::VPC', 0);
    const network = JSON.stringify(onlyResource(template, 'AWS::ECS::Service'));
    assert.match(network, /"AssignPublicIp":"DISABLED"/);
    assert.match(network, /"Subnets":\["subnet-0123456789abcdef0"\]/);
    const group = onlyResource(template, 'AWS::EC2::SecurityGroup');
    assert.equal(group['VpcId'], 'vpc-0123456789abcdef0');
  });
});
